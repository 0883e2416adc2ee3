#include "pipeline/media/image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>
#include <vector>

#include "base/parallel.h"

namespace pytoon::media {
namespace {

constexpr double kLobes = 3.0;
constexpr double kReachOfGauss = 3.2;  // beyond it lies 0.14 % of the weight, under 1/255

// A pixel's four channels, side by side in one register.
using Channels [[gnu::vector_size(16)]] = float;
using WholeChannels [[gnu::vector_size(16)]] = int;
using ByteChannels [[gnu::vector_size(4)]] = std::uint8_t;

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

void premultiply(const std::uint8_t* source, std::span<Channels> row) {
  constexpr float kUnit = 1.0F / 255.0F;
  for (Channels& out : row) {
    ByteChannels bytes;
    std::memcpy(&bytes, source, sizeof(bytes));
    source += sizeof(bytes);
    const auto pixel =
        __builtin_convertvector(__builtin_convertvector(bytes, WholeChannels), Channels);
    const Channels alpha = __builtin_shufflevector(pixel, pixel, 3, 3, 3, 3);
    out = pixel * (alpha * Channels{kUnit, kUnit, kUnit, 0} + Channels{0, 0, 0, 1});
  }
}

// The rows of an image, premultiplied, each once while outputs go down the image.
class SourceRows {
 public:
  // `together`: how many rows one output needs.
  SourceRows(const gpu::RgbaImage& image, std::size_t together)
      : image_(image),
        width_(static_cast<std::size_t>(image.size.width)),
        held_(together, -1),
        pixels_(together * width_) {}

  std::span<const Channels> at(int y) {
    const std::size_t slot = static_cast<std::size_t>(y) % held_.size();
    const std::span row(&pixels_[slot * width_], width_);
    if (held_[slot] != y) {
      premultiply(image_.at(0, y), row);
      held_[slot] = y;
    }
    return row;
  }

 private:
  const gpu::RgbaImage& image_;
  const std::size_t width_;
  std::vector<int> held_;  // by slot: which row
  std::vector<Channels> pixels_;
};

void add_row(std::span<const Channels> source, float weight, std::span<Channels> sums) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * source[i];
}

Channels held_to_bytes(const Channels& value) {
  const Channels raised = value > 0 ? value : Channels{};
  return raised < 255 ? raised : Channels{} + 255.0F;
}

void store_straight(const Channels& sum, std::uint8_t* out) {
  constexpr float kLeastAlpha = 0.5F;  // less is 0 when rounded
  const float back = sum[3] < kLeastAlpha ? 0.0F : 255.0F / sum[3];
  const Channels straight = sum * Channels{back, back, back, 1};
  const auto whole = __builtin_convertvector(held_to_bytes(straight) + 0.5F, WholeChannels);
  const auto bytes = __builtin_convertvector(whole, ByteChannels);
  std::memcpy(out, &bytes, sizeof(bytes));
}

void sum_columns(std::span<const Channels> row, const std::vector<Taps>& columns,
                 std::uint8_t* out) {
  for (const Taps& taps : columns) {
    Channels sum{};
    const Channels* in = &row[static_cast<std::size_t>(taps.first)];
    for (const float weight : taps.weights) sum += weight * *in++;
    store_straight(sum, out);
    out += 4;
  }
}

gpu::RgbaImage filter(const gpu::RgbaImage& image, const std::vector<Taps>& columns,
                      const std::vector<Taps>& rows) {
  std::size_t together = 0;
  for (const Taps& taps : rows) together = std::max(together, taps.weights.size());
  gpu::RgbaImage out({static_cast<int>(columns.size()), static_cast<int>(rows.size())});
  in_row_bands(out.size.height, [&](int first, int last) {
    SourceRows source(image, together);
    std::vector<Channels> sums(static_cast<std::size_t>(image.size.width));
    for (int y = first; y < last; ++y) {
      std::ranges::fill(sums, Channels{});
      const Taps& taps = rows[static_cast<std::size_t>(y)];
      int source_row = taps.first;
      for (const float weight : taps.weights) add_row(source.at(source_row++), weight, sums);
      sum_columns(sums, columns, out.at(0, y));
    }
  });
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
