#include "gpu/cpu/plane_painter.h"

#include <algorithm>
#include <cstring>

#include "gpu/layer_geometry.h"

namespace pytoon::gpu {
namespace {

constexpr int kMargin = 3;  // repeated samples beyond an edge that four taps can reach

template <typename T>
void reserve_at_least(std::vector<T>& values, int count) {
  const auto wanted = static_cast<std::size_t>(count);
  if (values.size() < wanted) values.resize(wanted);
}

}  // namespace

void PlanePainter::paint(const PlaneJob& job) {
  const Shift shift = shift_of(job.x, job.y, job.area, {job.colour->width, job.colour->height});
  as_is_ = shift.as_is;
  shift_x_ = shift.x;
  shift_y_ = shift.y;
  if (!as_is_) prepare_columns(job);

  const std::ptrdiff_t components = job.colour->components;
  const auto bytes = static_cast<std::size_t>(job.area.width * components);
  const bool replaces = job.alpha == nullptr && job.opacity_256 == 256;
  for (int y = job.area.y; y < job.area.y + job.area.height; ++y) {
    std::uint8_t* frame =
        job.target + static_cast<std::size_t>(y) * job.pitch_bytes + job.area.x * components;
    if (!replaces) {
      blend_row(job, frame, y);
      continue;
    }
    const std::uint8_t* colour = opaque_row(job, y, frame);
    if (colour != frame) std::memcpy(frame, colour, bytes);
  }
}

void PlanePainter::blend_row(const PlaneJob& job, std::uint8_t* frame, int y) {
  const int bytes = job.area.width * job.colour->components;
  if (job.alpha == nullptr) {
    kernels_.lerp(frame, opaque_row(job, y, colour_.data()), bytes, job.opacity_256);
    return;
  }
  const std::uint8_t* colour = colour_.data();
  const std::uint8_t* alpha = alpha_.data();
  if (as_is_) {
    colour = bytes_as_is(job, *job.colour, y);
    alpha = bytes_as_is(job, *job.alpha, y);
  } else {
    resample(job, *job.colour, y, wide_colour_.data());
    resample(job, *job.alpha, y, wide_alpha_.data());
    kernels_.settle(wide_colour_.data(), wide_alpha_.data(), colour_.data(), alpha_.data(), bytes,
                    job.range);
  }
  if (job.opacity_256 == 256) {
    kernels_.blend(frame, colour, alpha, bytes);
  } else {
    kernels_.blend_faded(frame, colour, alpha, bytes, job.opacity_256);
  }
}

const std::uint8_t* PlanePainter::opaque_row(const PlaneJob& job, int y, std::uint8_t* scratch) {
  if (as_is_) return bytes_as_is(job, *job.colour, y);
  resample(job, *job.colour, y, wide_colour_.data());
  kernels_.hold(wide_colour_.data(), scratch, job.area.width * job.colour->components, job.range);
  return scratch;
}

const std::uint8_t* PlanePainter::bytes_as_is(const PlaneJob& job, const Plane& plane,
                                              int y) const {
  return plane.row(y + shift_y_) + std::ptrdiff_t{job.area.x + shift_x_} * plane.components;
}

void PlanePainter::resample(const PlaneJob& job, const Plane& plane, int y, std::int16_t* out) {
  filter_vertically(job, plane, y);
  const std::int16_t* row = filtered_.data() + std::ptrdiff_t{kMargin} * plane.components;
  const auto filter = plane.components == 2 ? kernels_.filter_pairs : kernels_.filter_columns;
  filter(row, first_.data(), weights_.data(), out, job.area.width);
}

void PlanePainter::prepare_columns(const PlaneJob& job) {
  reserve_at_least(first_, job.area.width);
  reserve_at_least(weights_, 4 * job.area.width);
  const int bytes = job.area.width * job.colour->components;
  reserve_at_least(wide_colour_, bytes);
  reserve_at_least(wide_alpha_, bytes);
  reserve_at_least(colour_, bytes);
  reserve_at_least(alpha_, bytes);
  reserve_at_least(filtered_, (job.colour->width + 2 * kMargin) * job.colour->components);
  for (int i = 0; i < job.area.width; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Tap tap = tap_at(job.x.origin, job.x.step, job.area.x + i, job.colour->width);
    first_[at] = tap.first;
    std::copy_n(tap.weights.tap, 4, &weights_[4 * at]);
  }
  const auto last = static_cast<std::size_t>(job.area.width - 1);
  used_begin_ = std::max(first_[0], 0);
  used_end_ = std::min(first_[last] + 4, job.colour->width);
}

void PlanePainter::filter_vertically(const PlaneJob& job, const Plane& plane, int y) {
  const Tap tap = tap_at(job.y.origin, job.y.step, y, plane.height);
  const std::ptrdiff_t components = plane.components;
  const std::ptrdiff_t begin = used_begin_ * components;
  const std::ptrdiff_t end = used_end_ * components;
  const std::uint8_t* rows[4];
  for (int k = 0; k < 4; ++k) {
    rows[k] = plane.row(std::clamp(tap.first + k, 0, plane.height - 1)) + begin;
  }
  std::int16_t* out = filtered_.data() + kMargin * components;
  kernels_.filter_rows(rows, tap.weights.tap, out + begin, static_cast<int>(end - begin));
  const std::int16_t* left = out;
  const std::int16_t* right = out + (plane.width - 1) * components;
  for (int i = 1; i <= kMargin; ++i) {
    if (used_begin_ == 0) std::copy_n(left, components, out - i * components);
    if (used_end_ == plane.width) {
      std::copy_n(right, components, out + (plane.width - 1 + i) * components);
    }
  }
}

}  // namespace pytoon::gpu
