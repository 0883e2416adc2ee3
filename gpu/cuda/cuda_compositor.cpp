#include "gpu/cuda/cuda_compositor.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "gpu/cuda/layer_list.h"
#include "gpu/layer_geometry.h"

namespace pytoon::gpu::cuda {
namespace {

constexpr std::size_t kLayerRoomMin = 16;
constexpr std::size_t kLine = 128;  // bytes of a memory transaction

bool is_word_aligned(const CudaNv12View& view) {
  const auto bits = reinterpret_cast<std::uintptr_t>(view.luma) |
                    reinterpret_cast<std::uintptr_t>(view.chroma) | view.luma_pitch_bytes |
                    view.chroma_pitch_bytes;
  return bits % 4 == 0;
}

void copy_plane(const std::uint8_t* from, std::size_t from_pitch_bytes, std::uint8_t* to,
                std::size_t to_pitch_bytes, int width, int rows) {
  for (int y = 0; y < rows; ++y) {
    std::memcpy(to, from, static_cast<std::size_t>(width));
    from += from_pitch_bytes;
    to += to_pitch_bytes;
  }
}

}  // namespace

Status CudaCompositor::compose(const Composition& composition, const Nv12Target& target) {
  check_composition(composition);
  if (!stream_) {
    Result<OwnedStream> stream = OwnedStream::make(context_);
    if (!stream) return stream.failure();
    stream_ = std::move(*stream);
  }
  if (const auto* host = std::get_if<HostNv12View>(&target)) {
    check_frame(*host);
    return compose_to_host(composition, *host);
  }
  const auto& view = *std::get_if<CudaNv12View>(&target);
  check_frame(view);
  const Status queued = queue_frame(composition, view);
  const Status waited = context_->api->wait(stream_.get());  // whatever was queued
  return queued ? waited : queued;
}

Status CudaCompositor::make_room_for_layers(std::size_t count) {
  if (count <= layer_room_) return ok_status();
  const std::size_t room = std::max(kLayerRoomMin, 2 * count);
  layer_room_ = 0;
  device_layers_.release();
  layers_.release();
  Result<PinnedBlock> host = allocate_pinned(context_, room * sizeof(LayerJob));
  if (!host) return host.failure();
  Result<DeviceBlock> device = allocate(context_, room * sizeof(LayerJob), "the list of layers");
  if (!device) return device.failure();
  layers_ = std::move(*host);
  device_layers_ = std::move(*device);
  layer_room_ = room;
  return ok_status();
}

Status CudaCompositor::make_staging(Size size) {
  if (staging_.size == size) return ok_status();
  staging_ = Staging{};
  const std::size_t pitch_bytes =
      (static_cast<std::size_t>(size.width) + kLine - 1) / kLine * kLine;
  const std::size_t bytes = pitch_bytes * static_cast<std::size_t>(size.height) * 3 / 2;
  Result<DeviceBlock> device = allocate(context_, bytes, "a frame");
  if (!device) return device.failure();
  Result<PinnedBlock> host = allocate_pinned(context_, bytes);
  if (!host) return host.failure();
  staging_ = {size, pitch_bytes, std::move(*device), std::move(*host)};
  return ok_status();
}

Status CudaCompositor::queue_frame(const Composition& composition, const CudaNv12View& target) {
  const Status room = make_room_for_layers(layer_count_max(composition));
  if (!room) return room;
  FrameJob job;
  job.target = target;
  job.word_aligned = is_word_aligned(target) ? 1 : 0;
  void* memory = layers_.data();
  auto* layers = static_cast<LayerJob*>(memory);
  fill_layers(composition, target.size, layers, job);
  const auto count = static_cast<std::size_t>(job.base_count + job.incoming_count + job.top_count);
  if (count > 0) {
    const std::size_t bytes = count * sizeof(LayerJob);
    const Status sent = context_->api->queue(
        {CopyDirection::kToDevice, device_layers_.data(), bytes, layers_.data(), bytes, bytes, 1},
        stream_.get());
    if (!sent) return sent;
    const void* on_device = device_layers_.data();
    job.layers = static_cast<const LayerJob*>(on_device);
  }
  return context_->api->queue(job, stream_.get());
}

Status CudaCompositor::compose_to_host(const Composition& composition, const HostNv12View& target) {
  const Status staged = make_staging(target.size);
  if (!staged) return staged;
  const Size size = target.size;
  const std::size_t pitch_bytes = staging_.pitch_bytes;
  const auto luma_rows = static_cast<std::size_t>(size.height);
  std::uint8_t* frame = staging_.device.data();
  Status queued = queue_frame(
      composition, {size, frame, pitch_bytes, frame + pitch_bytes * luma_rows, pitch_bytes});
  if (queued) {
    queued =
        context_->api->queue({CopyDirection::kToHost, staging_.host.data(), pitch_bytes, frame,
                              pitch_bytes, static_cast<std::size_t>(size.width), luma_rows * 3 / 2},
                             stream_.get());
  }
  const Status waited = context_->api->wait(stream_.get());
  if (!queued) return queued;
  if (!waited) return waited;
  context_->crossings.fetch_add(1, std::memory_order_relaxed);
  const std::uint8_t* luma = staging_.host.data();
  copy_plane(luma, pitch_bytes, target.luma, target.luma_pitch_bytes, size.width, size.height);
  copy_plane(luma + pitch_bytes * luma_rows, pitch_bytes, target.chroma, target.chroma_pitch_bytes,
             size.width, size.height / 2);
  return ok_status();
}

}  // namespace pytoon::gpu::cuda
