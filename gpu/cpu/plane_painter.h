// Paints one plane of a texture onto one plane of a frame: resampling, then blending, row by row.
//
// Thread rule: one thread at a time. Allocates only when a frame or texture wider than any before
// comes along.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gpu/cpu/cpu_texture.h"
#include "gpu/cpu/kernels.h"

namespace pytoon::gpu {

// Luma and chroma alike; all units are samples of the plane in hand.
struct PlaneJob {
  const Plane* colour = nullptr;
  const Plane* alpha = nullptr;  // same shape as colour; null when opaque
  Sampling x;
  Sampling y;
  Rect area;  // inside the frame's plane
  Range range;
  int opacity_256 = 256;  // above 0
  std::uint8_t* target = nullptr;
  std::size_t pitch_bytes = 0;
};

class PlanePainter {
 public:
  explicit PlanePainter(const Kernels& kernels) : kernels_(kernels) {}

  void paint(const PlaneJob& job);

 private:
  void prepare_columns(const PlaneJob& job);
  // Row `y` of the job's area, from an opaque texture: the texture's own bytes when taken as they
  // are, else resampled into `scratch`.
  const std::uint8_t* opaque_row(const PlaneJob& job, int y, std::uint8_t* scratch);
  void blend_row(const PlaneJob& job, std::uint8_t* frame, int y);
  const std::uint8_t* bytes_as_is(const PlaneJob& job, const Plane& plane, int y) const;
  void resample(const PlaneJob& job, const Plane& plane, int y, std::int16_t* out);
  void filter_vertically(const PlaneJob& job, const Plane& plane, int y);

  const Kernels& kernels_;
  bool as_is_ = false;  // no resampling: texture samples map onto frame samples
  int shift_x_ = 0;     // when as_is_: texture = frame + shift
  int shift_y_ = 0;
  int used_begin_ = 0;  // texture columns that the taps of a row touch
  int used_end_ = 0;
  std::vector<std::int32_t> first_;  // leftmost tap of each frame column
  std::vector<std::int16_t> weights_;
  std::vector<std::int16_t> filtered_;  // one texture row with three repeated samples at each end
  std::vector<std::int16_t> wide_colour_;  // resampled, still overshooting
  std::vector<std::int16_t> wide_alpha_;
  std::vector<std::uint8_t> colour_;
  std::vector<std::uint8_t> alpha_;
};

}  // namespace pytoon::gpu
