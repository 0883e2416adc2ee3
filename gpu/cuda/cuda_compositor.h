// The CUDA device's Compositor: one copy of the layer list, one kernel and one wait for a batch of
// frames, on a stream of its own. Host targets are drawn into frames on the device, which one copy
// brings to pinned memory and the CPU from there to where they are wanted.
//
// Since compose_batch() waits, textures and adopted frames may go as soon as it has returned, and
// several compositors overlap on the device.
#pragma once

#include "gpu/cuda/memory.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

class CudaCompositor final : public Compositor {
 public:
  CudaCompositor(CudaContextPtr context, MemoryAccountPtr account)
      : context_(std::move(context)), account_(std::move(account)) {}

  Status compose_batch(std::span<const FrameRequest> frames) override;

 private:
  // Frames on the device and their likes on the host, one after the other.
  struct Staging {
    Size size;
    std::size_t frames = 0;
    DeviceBlock device;
    PinnedBlock host;
  };

  Status make_room_for_layers(std::size_t count);
  Status make_staging(Size size, std::size_t frames);
  // Where frame `index` of a batch is drawn: its target, or its place in the staging.
  CudaNv12View device_view(const FrameRequest& frame, std::size_t index) const;
  // Fills the targets, or the staging, on the stream.
  Status queue_frames(std::span<const FrameRequest> frames);
  Status queue_layers(std::size_t count);
  Status queue_to_host(std::size_t frames);
  void copy_out(std::span<const FrameRequest> frames) const;

  const CudaContextPtr context_;
  const MemoryAccountPtr account_;
  OwnedStream stream_;
  std::size_t layer_room_ = 0;
  PinnedBlock layers_;
  DeviceBlock device_layers_;
  Staging staging_;
};

}  // namespace pytoon::gpu::cuda
