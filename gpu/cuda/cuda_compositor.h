// The CUDA device's Compositor: one copy of the layer list and one kernel a frame, on a stream of
// its own, then a wait. A host target is drawn into a frame on the device, which one copy brings to
// pinned memory and the CPU from there to where it is wanted.
//
// Since compose() waits, textures and adopted frames may go as soon as it has returned, and several
// compositors overlap on the device.
#pragma once

#include "gpu/cuda/memory.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

class CudaCompositor final : public Compositor {
 public:
  explicit CudaCompositor(CudaContextPtr context) : context_(std::move(context)) {}

  Status compose(const Composition& composition, const Nv12Target& target) override;

 private:
  // A frame on the device and its like on the host, rows packed at the same pitch.
  struct Staging {
    Size size;
    std::size_t pitch_bytes = 0;
    DeviceBlock device;
    PinnedBlock host;
  };

  Status make_room_for_layers(std::size_t count);
  Status make_staging(Size size);
  // Fills the target, on the stream.
  Status queue_frame(const Composition& composition, const CudaNv12View& target);
  Status compose_to_host(const Composition& composition, const HostNv12View& target);

  CudaContextPtr context_;
  OwnedStream stream_;
  std::size_t layer_room_ = 0;
  PinnedBlock layers_;
  DeviceBlock device_layers_;
  Staging staging_;
};

}  // namespace pytoon::gpu::cuda
