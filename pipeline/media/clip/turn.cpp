#include "pipeline/media/clip/turn.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace pytoon::media {
namespace {

std::size_t at(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

// One axis of upright chroma: sample i is (4 - quarters) / 4 of turned sample i and the rest of its
// neighbour.
struct Shift {
  int quarters = 0;
  int neighbour = 0;  // -1, +1
};

// Stored chroma lies at (2i, 2j + 1/2); where the turn puts it, against where it is wanted.
Shift shift_x(const Turn& turn) {
  if (turn.transposed) return {1, -1};              // at 2i + 1/2
  return turn.mirrored_x ? Shift{2, -1} : Shift{};  // at 2i + 1
}

Shift shift_y(const Turn& turn) {
  if (!turn.transposed) return {};                      // at 2j + 1/2, mirrored or not
  return turn.mirrored_y ? Shift{1, -1} : Shift{1, 1};  // at 2j + 1, at 2j
}

// A stored plane seen upright.
class TurnedPlane {
 public:
  TurnedPlane(const std::uint8_t* plane, std::size_t pitch_bytes, gpu::Size stored,
              const Turn& turn)
      : size_(turned(stored, turn)) {
    const auto pitch = static_cast<std::ptrdiff_t>(pitch_bytes);
    step_x_ = turn.transposed ? pitch : 1;
    step_y_ = turn.transposed ? 1 : pitch;
    first_ = plane;
    if (turn.mirrored_x) {
      first_ += step_x_ * (size_.width - 1);
      step_x_ = -step_x_;
    }
    if (turn.mirrored_y) {
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
void write_luma(const TurnedPlane& plane, std::uint8_t* out, std::size_t pitch_bytes) {
  constexpr int kBlock = 64;
  const gpu::Size size = plane.size();
  if (plane.step() == 1) {
    for (int y = 0; y < size.height; ++y) {
      std::copy_n(plane.row(y), size.width, out + at(y) * pitch_bytes);
    }
    return;
  }
  for (int top = 0; top < size.height; top += kBlock) {
    for (int left = 0; left < size.width; left += kBlock) {
      const int right = std::min(left + kBlock, size.width);
      for (int y = top; y < std::min(top + kBlock, size.height); ++y) {
        const std::uint8_t* const from = plane.row(y);
        std::uint8_t* const to = out + at(y) * pitch_bytes;
        for (int x = left; x < right; ++x) to[x] = from[plane.step() * x];
      }
    }
  }
}

void write_chroma(const TurnedPlane& plane, const Turn& turn, std::uint8_t* out,
                  std::size_t pitch_bytes) {
  const Shift sx = shift_x(turn);
  const Shift sy = shift_y(turn);
  const gpu::Size size = plane.size();
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* const near = plane.row(y);
    const std::uint8_t* const far = plane.row(std::clamp(y + sy.neighbour, 0, size.height - 1));
    std::uint8_t* const to = out + at(y) * pitch_bytes;
    if (turn.none()) {
      for (std::ptrdiff_t x = 0; x < size.width; ++x) to[2 * x] = near[x];
      continue;
    }
    for (int x = 0; x < size.width; ++x) {
      const std::ptrdiff_t here = plane.step() * x;
      const std::ptrdiff_t beside = plane.step() * std::clamp(x + sx.neighbour, 0, size.width - 1);
      const int near_sum = (4 - sx.quarters) * near[here] + sx.quarters * near[beside];
      const int far_sum = (4 - sx.quarters) * far[here] + sx.quarters * far[beside];
      const int sum = (4 - sy.quarters) * near_sum + sy.quarters * far_sum;
      to[std::ptrdiff_t{2} * x] = static_cast<std::uint8_t>((sum + 8) / 16);
    }
  }
}

}  // namespace

Turn turn_of(const std::int32_t* matrix) {
  // x' = m0 x + m3 y, y' = m1 x + m4 y
  const auto size = [matrix](int i) { return std::abs(static_cast<std::int64_t>(matrix[i])); };
  if (size(0) + size(4) >= size(1) + size(3)) return {false, matrix[0] < 0, matrix[4] < 0};
  return {true, matrix[3] < 0, matrix[1] < 0};
}

gpu::Size turned(gpu::Size size, const Turn& turn) {
  return turn.transposed ? gpu::Size{size.height, size.width} : size;
}

void turn_upright(const PlanarView& source, const Turn& turn, const gpu::HostNv12View& target) {
  const gpu::Size half{source.size.width / 2, source.size.height / 2};
  write_luma(TurnedPlane(source.planes[0], source.pitch_bytes[0], source.size, turn), target.luma,
             target.luma_pitch_bytes);
  for (std::size_t c = 0; c < 2; ++c) {
    write_chroma(TurnedPlane(source.planes[c + 1], source.pitch_bytes[c + 1], half, turn), turn,
                 target.chroma + c, target.chroma_pitch_bytes);
  }
}

}  // namespace pytoon::media
