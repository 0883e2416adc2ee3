// What the CUDA kernels are told: plain structs, copied to the device as they lie.
//
// Pointers are device pointers. Coordinates and sizes count samples of the plane in hand: pixels
// for luma, pairs Cb Cr for chroma. Areas lie inside the frame.
#pragma once

#include <cstdint>

#include "gpu/image.h"
#include "gpu/memory_layout.h"

namespace pytoon::gpu::cuda {

// One plane of a layer's texture, and where it goes.
struct PlaneJob {
  const std::uint8_t* colour = nullptr;
  const std::uint8_t* alpha = nullptr;  // one byte a sample; null when opaque
  std::uint32_t colour_pitch_bytes = 0;
  std::uint32_t alpha_pitch_bytes = 0;
  int width = 0;
  int height = 0;
  double origin_x = 0;  // Sampling of this plane
  double origin_y = 0;
  Rect area;               // of the frame's plane
  std::int32_t as_is = 0;  // samples are taken as they are, at frame + shift
  int shift_x = 0;
  int shift_y = 0;
};

struct LayerJob {
  PlaneJob luma;
  PlaneJob chroma;
  double step_x = 1;
  double step_y = 1;
  std::int32_t opacity_256 = 256;  // above 0
  std::int32_t replaces = 0;       // nothing shows through it: opaque, at full opacity
};

// A frame: layers[0 .. base) over black, mixed with the next `incoming` over black, then the next
// `top` over that. incoming_count is 0 exactly when mix_256 is.
struct FrameJob {
  const LayerJob* layers = nullptr;
  int base_count = 0;
  int incoming_count = 0;
  int top_count = 0;
  int mix_256 = 0;  // 0 .. 255
  CudaNv12View target;
  std::int32_t word_aligned = 0;  // both planes' rows begin at multiples of 4
};

// Frames of one size, drawn by one kernel: a slice of the grid each. Passed to the kernel by value.
struct FrameBatch {
  int count = 0;
  FrameJob frames[kBatchFramesMax];
};

// An image's pixels to a texture's planes; see gpu/texture_math.h.
struct ConvertJob {
  const std::uint8_t* rgba = nullptr;  // rows packed
  Size size;
  std::uint8_t* luma = nullptr;
  std::uint8_t* chroma = nullptr;
  std::uint8_t* luma_alpha = nullptr;    // null when opaque
  std::uint8_t* chroma_alpha = nullptr;  // null when opaque
  std::uint32_t luma_pitch_bytes = 0;    // of luma_alpha too
  std::uint32_t chroma_pitch_bytes = 0;
  std::uint32_t chroma_alpha_pitch_bytes = 0;
};

}  // namespace pytoon::gpu::cuda
