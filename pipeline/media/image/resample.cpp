#include "pipeline/media/image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

namespace pytoon::media {
namespace {

constexpr double kLobes = 3.0;
constexpr double kReachOfGauss = 3.2;  // beyond it lies 0.14 % of the weight, under 1/255

// The source samples that make one output sample.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

double lanczos(double x) {
  if (x == 0) return 1;
  if (std::abs(x) >= kLobes) return 0;
  const double t = std::numbers::pi * x;
  return kLobes * std::sin(t) * std::sin(t / kLobes) / (t * t);
}

double gauss(double x) { return std::exp(-0.5 * x * x); }

struct Kernel {
  double (*value)(double);
  double reach;    // beyond it value is taken as 0
  double stretch;  // px per unit of x
};

Taps taps_at(double centre, const Kernel& kernel, int samples) {
  const double radius = kernel.reach * kernel.stretch;
  const int low = static_cast<int>(std::ceil(centre - radius));
  const int high = static_cast<int>(std::floor(centre + radius));
  Taps taps;
  taps.first = std::clamp(low, 0, samples - 1);
  const int last = std::clamp(high, 0, samples - 1);
  std::vector<double> exact(static_cast<std::size_t>(last - taps.first + 1));
  double sum = 0;
  for (int i = low; i <= high; ++i) {
    const double weight = kernel.value((i - centre) / kernel.stretch);
    exact[static_cast<std::size_t>(std::clamp(i, taps.first, last) - taps.first)] += weight;
    sum += weight;
  }
  for (const double weight : exact) taps.weights.push_back(static_cast<float>(weight / sum));
  return taps;
}

// One axis: `count` outputs, `step` px apart, the first in the middle of its step after `from`.
std::vector<Taps> axis_taps(double from, double step, int count, const Kernel& kernel,
                            int samples) {
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    taps.push_back(taps_at(from + (i + 0.5) * step - 0.5, kernel, samples));
  }
  return taps;
}

std::vector<Taps> lanczos_axis(double from, double length, int count, int samples) {
  const double step = length / count;
  return axis_taps(from, step, count, {lanczos, kLobes, std::max(step, 1.0)}, samples);
}

// row += weight * premultiplied source row
void add_row(const std::uint8_t* source, float weight, std::span<float> row) {
  const float per_alpha = weight / 255.0F;
  for (std::size_t i = 0; i < row.size(); i += 4) {
    const float alpha = source[i + 3];
    const float scaled = per_alpha * alpha;
    row[i] += scaled * static_cast<float>(source[i]);
    row[i + 1] += scaled * static_cast<float>(source[i + 1]);
    row[i + 2] += scaled * static_cast<float>(source[i + 2]);
    row[i + 3] += weight * alpha;
  }
}

std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
}

void store_straight(const float sum[4], std::uint8_t* out) {
  const std::uint8_t alpha = to_byte(sum[3]);
  const float back = alpha == 0 ? 0.0F : 255.0F / sum[3];
  for (int c = 0; c < 3; ++c) out[c] = to_byte(sum[c] * back);
  out[3] = alpha;
}

void sum_columns(const std::vector<float>& row, const std::vector<Taps>& columns,
                 std::uint8_t* out) {
  for (const Taps& taps : columns) {
    float sum[4] = {0, 0, 0, 0};
    const float* in = row.data() + static_cast<std::size_t>(taps.first) * 4;
    for (const float weight : taps.weights) {
      for (int c = 0; c < 4; ++c) sum[c] += weight * in[c];
      in += 4;
    }
    store_straight(sum, out);
    out += 4;
  }
}

gpu::RgbaImage filter(const gpu::RgbaImage& image, const std::vector<Taps>& columns,
                      const std::vector<Taps>& rows) {
  std::vector<float> sums(static_cast<std::size_t>(image.size.width) * 4);
  gpu::RgbaImage out({static_cast<int>(columns.size()), static_cast<int>(rows.size())});
  for (int y = 0; y < out.size.height; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    const Taps& taps = rows[static_cast<std::size_t>(y)];
    int source_row = taps.first;
    for (const float weight : taps.weights) add_row(image.at(0, source_row++), weight, sums);
    sum_columns(sums, columns, out.at(0, y));
  }
  return out;
}

}  // namespace

gpu::RgbaImage resample(const gpu::RgbaImage& image, const Window& window, gpu::Size size) {
  return filter(image, lanczos_axis(window.x, window.width, size.width, image.size.width),
                lanczos_axis(window.y, window.height, size.height, image.size.height));
}

gpu::RgbaImage convolve_gaussian(const gpu::RgbaImage& image, double sigma_px) {
  const Kernel kernel{gauss, kReachOfGauss, sigma_px};
  return filter(image, axis_taps(0, 1, image.size.width, kernel, image.size.width),
                axis_taps(0, 1, image.size.height, kernel, image.size.height));
}

}  // namespace pytoon::media
