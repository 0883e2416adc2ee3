// The CUDA device's memory layout: how many bytes each thing takes there, to the byte, before it is
// taken. The device allocates by these functions and a cost model predicts with them, so the two
// can't drift apart. Pure and constexpr; known in builds without CUDA too.
//
// Rows and planes begin at multiples of kRowAlignmentBytes, so that a warp's reads begin where a
// memory line does. An allocation is counted in whole units of the driver's pool
// (kMemoryUnitBytes); what the pool itself takes from the card comes in larger chunks, of 2 MiB and
// more, and is told by MemoryUse::reserved_bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "gpu/image.h"

namespace pytoon::gpu {

inline constexpr std::uint64_t kRowAlignmentBytes = 128;
inline constexpr std::uint64_t kMemoryUnitBytes = 512;
// Frames that one call of Compositor::compose_batch() takes at most.
inline constexpr std::size_t kBatchFramesMax = 16;
// Of the CUDA device (Device::batch_frames()), for who counts its memory from afar too. A launch
// and a wait cost about what two frames of 1080x1920 do on a large card, and beside a busy
// neighbour a wait costs a time slice of 2 ms: docs/gpu.md has the measurements.
inline constexpr int kCudaBatchFrames = 10;
inline constexpr std::uint64_t kLayerRecordBytes = 184;  // gpu/cuda/kernel_jobs.h's LayerJob
inline constexpr std::uint64_t kLayerRecordsMin = 64;

// What an allocation of that many bytes counts as.
constexpr std::uint64_t counted_bytes(std::uint64_t bytes) {
  return (bytes + kMemoryUnitBytes - 1) / kMemoryUnitBytes * kMemoryUnitBytes;
}

constexpr std::uint32_t row_pitch_bytes(int row_bytes) {
  return static_cast<std::uint32_t>(
      (static_cast<std::uint64_t>(row_bytes) + kRowAlignmentBytes - 1) / kRowAlignmentBytes *
      kRowAlignmentBytes);
}

// A texture: its planes one after the other in one block.
struct TextureLayout {
  std::uint32_t luma_pitch_bytes = 0;  // of its alpha too
  std::uint32_t chroma_pitch_bytes = 0;
  std::uint32_t chroma_alpha_pitch_bytes = 0;
  std::size_t luma = 0;  // where each plane begins
  std::size_t chroma = 0;
  std::size_t luma_alpha = 0;  // 0 when opaque
  std::size_t chroma_alpha = 0;
  std::size_t bytes = 0;
};

constexpr TextureLayout texture_layout(Size size, bool opaque) {
  const int chroma_width = (size.width + 1) / 2;
  const auto rows = static_cast<std::size_t>(size.height);
  const std::size_t chroma_rows = (rows + 1) / 2;
  TextureLayout layout;
  layout.luma_pitch_bytes = row_pitch_bytes(size.width);
  layout.chroma_pitch_bytes = row_pitch_bytes(2 * chroma_width);
  layout.chroma = layout.luma_pitch_bytes * rows;
  layout.bytes = layout.chroma + layout.chroma_pitch_bytes * chroma_rows;
  if (opaque) return layout;
  layout.chroma_alpha_pitch_bytes = row_pitch_bytes(chroma_width);
  layout.luma_alpha = layout.bytes;
  layout.chroma_alpha = layout.luma_alpha + layout.luma_pitch_bytes * rows;
  layout.bytes = layout.chroma_alpha + layout.chroma_alpha_pitch_bytes * chroma_rows;
  return layout;
}

// What Device::upload() keeps for an image; for a host frame that Device::adopt() copies, that of
// an opaque image.
constexpr std::uint64_t texture_bytes(Size size, bool opaque) {
  return counted_bytes(texture_layout(size, opaque).bytes);
}

// What Device::upload() takes besides, until it returns: the image's pixels as they came.
constexpr std::uint64_t upload_extra_bytes(Size size) {
  return counted_bytes(std::uint64_t{4} * static_cast<std::uint64_t>(size.width) *
                       static_cast<std::uint64_t>(size.height));
}

// A frame on its way to the host: luma rows, then chroma rows, all at one pitch.
struct StagedFrameLayout {
  std::size_t pitch_bytes = 0;
  std::size_t chroma = 0;  // where the chroma plane begins
  std::size_t bytes = 0;
};

constexpr StagedFrameLayout staged_frame_layout(Size size) {
  StagedFrameLayout layout;
  layout.pitch_bytes = row_pitch_bytes(size.width);
  layout.chroma = layout.pitch_bytes * static_cast<std::size_t>(size.height);
  layout.bytes = layout.chroma * 3 / 2;
  return layout;
}

// Records that the list of a batch's layers has room for.
constexpr std::uint64_t layer_records(std::uint64_t layers) {
  return std::bit_ceil(std::max(layers, kLayerRecordsMin));
}

// What a compositor keeps, when the largest of its batches had that many frames and that many
// layers in all frames together. to_host: it draws into host memory.
constexpr std::uint64_t compositor_bytes(Size frame, std::size_t frames, std::uint64_t layers,
                                         bool to_host) {
  const std::uint64_t list =
      layers == 0 ? 0 : counted_bytes(layer_records(layers) * kLayerRecordBytes);
  return list + (to_host ? counted_bytes(frames * staged_frame_layout(frame).bytes) : 0);
}

}  // namespace pytoon::gpu
