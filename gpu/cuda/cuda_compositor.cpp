#include "gpu/cuda/cuda_compositor.h"

#include <cstring>

#include "gpu/cuda/layer_list.h"
#include "gpu/layer_geometry.h"
#include "gpu/memory_layout.h"

namespace pytoon::gpu::cuda {
namespace {

static_assert(sizeof(LayerJob) == kLayerRecordBytes, "gpu/memory_layout.h knows its size");

bool is_on_host(std::span<const FrameRequest> frames) {
  return std::holds_alternative<HostNv12View>(frames[0].target);
}

bool is_word_aligned(const CudaNv12View& view) {
  const auto bits = reinterpret_cast<std::uintptr_t>(view.luma) |
                    reinterpret_cast<std::uintptr_t>(view.chroma) | view.luma_pitch_bytes |
                    view.chroma_pitch_bytes;
  return bits % 4 == 0;
}

std::size_t layers_of(std::span<const FrameRequest> frames) {
  std::size_t count = 0;
  for (const FrameRequest& frame : frames) count += layer_count_max(*frame.composition);
  return count;
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

Status CudaCompositor::compose_batch(std::span<const FrameRequest> frames) {
  check_batch(frames);
  if (!stream_) {
    Result<OwnedStream> stream = OwnedStream::make(context_);
    if (!stream) return stream.failure();
    stream_ = std::move(*stream);
  }
  const bool to_host = is_on_host(frames);
  Status queued = make_room_for_layers(layers_of(frames));
  if (queued && to_host) queued = make_staging(size_of(frames[0].target), frames.size());
  if (queued) queued = queue_frames(frames);
  if (queued && to_host) queued = queue_to_host(frames.size());
  const Status waited = context_->api->wait(stream_.get());  // whatever was queued
  if (!queued) return queued;
  if (!waited) return waited;
  if (to_host) copy_out(frames);
  return ok_status();
}

Status CudaCompositor::make_room_for_layers(std::size_t count) {
  if (count <= layer_room_) return ok_status();
  const std::size_t room = layer_records(count);
  layer_room_ = 0;
  device_layers_.release();
  layers_.release();
  Result<PinnedBlock> host = allocate_pinned(context_, room * sizeof(LayerJob));
  if (!host) return host.failure();
  Result<DeviceBlock> device =
      allocate(context_, account_, room * sizeof(LayerJob), "the list of layers");
  if (!device) return device.failure();
  layers_ = std::move(*host);
  device_layers_ = std::move(*device);
  layer_room_ = room;
  return ok_status();
}

Status CudaCompositor::make_staging(Size size, std::size_t frames) {
  if (staging_.size == size && staging_.frames >= frames) return ok_status();
  staging_ = Staging{};
  const std::size_t bytes = frames * staged_frame_layout(size).bytes;
  Result<DeviceBlock> device =
      allocate(context_, account_, bytes, frames == 1 ? "a frame" : "a batch of frames");
  if (!device) return device.failure();
  Result<PinnedBlock> host = allocate_pinned(context_, bytes);
  if (!host) return host.failure();
  staging_ = {size, frames, std::move(*device), std::move(*host)};
  return ok_status();
}

CudaNv12View CudaCompositor::device_view(const FrameRequest& frame, std::size_t index) const {
  if (const auto* there = std::get_if<CudaNv12View>(&frame.target)) return *there;
  const StagedFrameLayout layout = staged_frame_layout(staging_.size);
  std::uint8_t* luma = staging_.device.data() + index * layout.bytes;
  return {staging_.size, luma, layout.pitch_bytes, luma + layout.chroma, layout.pitch_bytes};
}

Status CudaCompositor::queue_frames(std::span<const FrameRequest> frames) {
  FrameBatch batch;
  void* memory = layers_.data();
  auto* const layers = static_cast<LayerJob*>(memory);
  const void* on_device = device_layers_.data();
  std::size_t count = 0;
  for (const FrameRequest& frame : frames) {
    FrameJob& job = batch.frames[batch.count];
    job.target = device_view(frame, static_cast<std::size_t>(batch.count));
    job.word_aligned = is_word_aligned(job.target) ? 1 : 0;
    job.layers = on_device == nullptr ? nullptr : static_cast<const LayerJob*>(on_device) + count;
    fill_layers(*frame.composition, job.target.size, layers + count, job);
    count += static_cast<std::size_t>(job.base_count + job.incoming_count + job.top_count);
    ++batch.count;
  }
  const Status sent = queue_layers(count);
  return sent ? context_->api->queue(batch, stream_.get()) : sent;
}

Status CudaCompositor::queue_layers(std::size_t count) {
  if (count == 0) return ok_status();
  const std::size_t bytes = count * sizeof(LayerJob);
  return context_->api->queue(
      {CopyDirection::kToDevice, device_layers_.data(), bytes, layers_.data(), bytes, bytes, 1},
      stream_.get());
}

// Staged frames follow each other at one pitch: all of them are one block of rows.
Status CudaCompositor::queue_to_host(std::size_t frames) {
  const StagedFrameLayout layout = staged_frame_layout(staging_.size);
  return context_->api->queue(
      {CopyDirection::kToHost, staging_.host.data(), layout.pitch_bytes, staging_.device.data(),
       layout.pitch_bytes, static_cast<std::size_t>(staging_.size.width),
       frames * layout.bytes / layout.pitch_bytes},
      stream_.get());
}

void CudaCompositor::copy_out(std::span<const FrameRequest> frames) const {
  const StagedFrameLayout layout = staged_frame_layout(staging_.size);
  const Size size = staging_.size;
  const std::uint8_t* luma = staging_.host.data();
  for (const FrameRequest& frame : frames) {
    const auto& target = *std::get_if<HostNv12View>(&frame.target);
    copy_plane(luma, layout.pitch_bytes, target.luma, target.luma_pitch_bytes, size.width,
               size.height);
    copy_plane(luma + layout.chroma, layout.pitch_bytes, target.chroma, target.chroma_pitch_bytes,
               size.width, size.height / 2);
    luma += layout.bytes;
  }
  context_->crossings.fetch_add(frames.size(), std::memory_order_relaxed);
}

}  // namespace pytoon::gpu::cuda
