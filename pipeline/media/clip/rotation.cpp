#include "pipeline/media/clip/rotation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace pytoon::media {
namespace {

std::size_t at(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

// Stored chroma lies at (2i, 2j + 1/2). Where the turn puts it, against where it is wanted, says by
// how many quarters an upright sample is made of its neighbour: across always the one before it,
// down the one before or after.
int quarters_across(const Rotation& rotation) {
  if (rotation.transposed) return 1;   // at 2i + 1/2
  return rotation.mirrored_x ? 2 : 0;  // at 2i + 1
}

struct Down {
  int quarters = 0;
  int neighbour = 0;  // -1, +1
};

Down quarters_down(const Rotation& rotation) {
  if (!rotation.transposed) return {};                    // at 2j + 1/2, mirrored or not
  return rotation.mirrored_y ? Down{1, -1} : Down{1, 1};  // at 2j + 1, at 2j
}

// A stored plane seen upright.
class RotatedPlane {
 public:
  RotatedPlane(const std::uint8_t* plane, std::size_t pitch_bytes, gpu::Size stored,
               const Rotation& rotation)
      : size_(rotated(stored, rotation)) {
    const auto pitch = static_cast<std::ptrdiff_t>(pitch_bytes);
    step_x_ = rotation.transposed ? pitch : 1;
    step_y_ = rotation.transposed ? 1 : pitch;
    first_ = plane;
    if (rotation.mirrored_x) {
      first_ += step_x_ * (size_.width - 1);
      step_x_ = -step_x_;
    }
    if (rotation.mirrored_y) {
      first_ += step_y_ * (size_.height - 1);
      step_y_ = -step_y_;
    }
  }

  gpu::Size size() const { return size_; }
  const std::uint8_t* row(int y) const { return first_ + step_y_ * y; }
  std::ptrdiff_t step() const { return step_x_; }

 private:
  gpu::Size size_;
  const std::uint8_t* first_ = nullptr;
  std::ptrdiff_t step_x_ = 0;
  std::ptrdiff_t step_y_ = 0;
};

// In blocks, so that a transposed plane is not read across all its rows for each one written.
constexpr int kBlock = 64;

template <typename Row>
void for_blocks(gpu::Size size, Row&& row) {
  for (int top = 0; top < size.height; top += kBlock) {
    for (int left = 0; left < size.width; left += kBlock) {
      const int right = std::min(left + kBlock, size.width);
      for (int y = top; y < std::min(top + kBlock, size.height); ++y) row(y, left, right);
    }
  }
}

void write_luma(const RotatedPlane& plane, std::uint8_t* out, std::size_t pitch_bytes) {
  for_blocks(plane.size(), [&](int y, int left, int right) {
    const std::uint8_t* const from = plane.row(y);
    std::uint8_t* const to = out + at(y) * pitch_bytes;
    if (plane.step() == 1) {
      std::copy(from + left, from + right, to + left);
      return;
    }
    for (int x = left; x < right; ++x) to[x] = from[plane.step() * x];
  });
}

// Columns left - 1 .. right of a row and of the one it is mixed with, summed: contiguous, so that
// what follows runs on many at once.
void mix_rows(const RotatedPlane& plane, const Down& down, int y, int left, int right,
              std::int16_t* sums) {
  const gpu::Size size = plane.size();
  const std::uint8_t* const near = plane.row(y);
  const std::uint8_t* const far = plane.row(std::clamp(y + down.neighbour, 0, size.height - 1));
  const auto sum = [&](int x) {
    const std::ptrdiff_t at_x = plane.step() * x;
    return static_cast<std::int16_t>((4 - down.quarters) * near[at_x] + down.quarters * far[at_x]);
  };
  *sums++ = sum(std::max(0, left - 1));
  for (int x = left; x < right; ++x) *sums++ = sum(x);
}

void write_chroma(const RotatedPlane& cb, const RotatedPlane& cr, const Rotation& rotation,
                  std::uint8_t* out, std::size_t pitch_bytes) {
  const int across = quarters_across(rotation);
  const Down down = quarters_down(rotation);
  for_blocks(cb.size(), [&](int y, int left, int right) {
    if (rotation.none()) {
      std::uint8_t* pair = out + at(y) * pitch_bytes + std::ptrdiff_t{2} * left;
      for (int x = left; x < right; ++x, pair += 2) {
        pair[0] = cb.row(y)[x];
        pair[1] = cr.row(y)[x];
      }
      return;
    }
    std::int16_t sums[2][kBlock + 1];
    mix_rows(cb, down, y, left, right, sums[0]);
    mix_rows(cr, down, y, left, right, sums[1]);
    std::uint8_t* const to = out + at(y) * pitch_bytes + std::ptrdiff_t{2} * left;
    for (int x = 0; x < right - left; ++x) {
      for (int c = 0; c < 2; ++c) {
        const int sum = (4 - across) * sums[c][x + 1] + across * sums[c][x];
        to[2 * x + c] = static_cast<std::uint8_t>((sum + 8) >> 4);
      }
    }
  });
}

}  // namespace

Rotation turn_of(const std::int32_t* matrix) {
  // x' = m0 x + m3 y, y' = m1 x + m4 y
  const auto size = [matrix](int i) { return std::abs(static_cast<std::int64_t>(matrix[i])); };
  if (size(0) + size(4) >= size(1) + size(3)) return {false, matrix[0] < 0, matrix[4] < 0};
  return {true, matrix[3] < 0, matrix[1] < 0};
}

gpu::Size rotated(gpu::Size size, const Rotation& rotation) {
  return rotation.transposed ? gpu::Size{size.height, size.width} : size;
}

void rotate_upright(const PlanarView& source, const Rotation& rotation,
                    const gpu::HostNv12View& target) {
  const gpu::Size half{source.size.width / 2, source.size.height / 2};
  write_luma(RotatedPlane(source.planes[0], source.pitch_bytes[0], source.size, rotation),
             target.luma, target.luma_pitch_bytes);
  write_chroma(RotatedPlane(source.planes[1], source.pitch_bytes[1], half, rotation),
               RotatedPlane(source.planes[2], source.pitch_bytes[2], half, rotation), rotation,
               target.chroma, target.chroma_pitch_bytes);
}

}  // namespace pytoon::media
