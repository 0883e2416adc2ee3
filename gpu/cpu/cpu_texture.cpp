#include "gpu/cpu/cpu_texture.h"

#include <algorithm>
#include <cstddef>

#include "gpu/pixel_math.h"

namespace pytoon::gpu {
namespace {

constexpr std::size_t kAlpha = 3;  // byte of an RGBA pixel

bool is_opaque(const RgbaImage& image) {
  std::uint8_t all = 255;
  for (std::size_t i = kAlpha; i < image.pixels.size(); i += 4) {
    all = static_cast<std::uint8_t>(all & image.pixels[i]);
  }
  return all == 255;
}

Rect find_content(const RgbaImage& image) {
  int left = image.size.width;
  int right = 0;
  int top = image.size.height;
  int bottom = 0;
  for (int y = 0; y < image.size.height; ++y) {
    const std::uint8_t* row = image.at(0, y);
    const auto clear = [row](std::ptrdiff_t x) { return row[4 * x + 3] == 0; };
    int first = 0;
    while (first < image.size.width && clear(first)) ++first;
    if (first == image.size.width) continue;
    int last = image.size.width - 1;
    while (clear(last)) --last;
    left = std::min(left, first);
    right = std::max(right, last + 1);
    top = std::min(top, y);
    bottom = y + 1;
  }
  return bottom == 0 ? Rect{} : Rect{left, top, right - left, bottom - top};
}

// Sums the pixels under chroma sample (i, j).
ColourSum sum_under(const std::uint8_t* const* rows, std::ptrdiff_t i, std::ptrdiff_t width) {
  const std::ptrdiff_t centre = 2 * i;
  const std::ptrdiff_t columns[3] = {std::max<std::ptrdiff_t>(centre - 1, 0), centre,
                                     std::min(centre + 1, width - 1)};
  ColourSum sum;
  for (int k = 0; k < 3; ++k) {
    for (int r = 0; r < 2; ++r) {
      const std::uint8_t* p = rows[r] + 4 * columns[k];
      const std::int64_t weight = std::int64_t{k == 1 ? 2 : 1} * p[kAlpha];
      sum.r += weight * p[0];
      sum.g += weight * p[1];
      sum.b += weight * p[2];
      sum.weight += weight;
    }
  }
  return sum;
}

struct RowPair {
  const std::uint8_t* rows[2];
  RowPair(const RgbaImage& image, int j)
      : rows{image.at(0, 2 * j), image.at(0, std::min(2 * j + 1, image.size.height - 1))} {}
};

void copy_rows(const std::uint8_t* from, std::size_t pitch_bytes, Plane& plane) {
  for (int y = 0; y < plane.height; ++y, from += pitch_bytes) {
    std::copy_n(from, plane.pitch_bytes(), plane.row(y));
  }
}

}  // namespace

CpuTexture::CpuTexture(const RgbaImage& image, const Kernels& kernels)
    : size_(image.size),
      opaque_(is_opaque(image)),
      content_(opaque_ ? Rect{0, 0, size_.width, size_.height} : find_content(image)),
      luma_(size_.width, size_.height, 1),
      chroma_((size_.width + 1) / 2, (size_.height + 1) / 2, 2) {
  if (opaque_) {
    convert_opaque(image, kernels);
    return;
  }
  luma_alpha_ = Plane(luma_.width, luma_.height, 1);
  chroma_alpha_ = Plane(chroma_.width, chroma_.height, 2);
  convert_with_alpha(image);
}

CpuTexture::CpuTexture(const Nv12Picture& frame)
    : size_(frame.size),
      opaque_(true),
      content_{0, 0, size_.width, size_.height},
      luma_(size_.width, size_.height, 1),
      chroma_((size_.width + 1) / 2, (size_.height + 1) / 2, 2) {
  copy_rows(frame.luma, frame.luma_pitch_bytes, luma_);
  copy_rows(frame.chroma, frame.chroma_pitch_bytes, chroma_);
}

void CpuTexture::convert_opaque(const RgbaImage& image, const Kernels& kernels) {
  for (int y = 0; y < luma_.height; ++y) {
    kernels.luma_row(image.at(0, y), luma_.row(y), luma_.width);
  }
  const auto width = static_cast<std::size_t>(size_.width);
  std::vector<std::uint16_t> sums[3];  // r, g, b, with a repeated column at each end
  for (auto& sum : sums) sum.resize(width + 2);
  for (int j = 0; j < chroma_.height; ++j) {
    const RowPair pair(image, j);
    kernels.sum_rows(pair.rows[0], pair.rows[1], &sums[0][1], &sums[1][1], &sums[2][1],
                     size_.width);
    for (auto& sum : sums) {
      sum[0] = sum[1];
      sum[width + 1] = sum[width];
    }
    kernels.chroma_row(&sums[0][1], &sums[1][1], &sums[2][1], chroma_.row(j), chroma_.width);
  }
}

void CpuTexture::convert_with_alpha(const RgbaImage& image) {
  for (int y = 0; y < luma_.height; ++y) {
    const std::uint8_t* p = image.at(0, y);
    std::uint8_t* out = luma_.row(y);
    std::uint8_t* alpha = luma_alpha_.row(y);
    for (int x = 0; x < luma_.width; ++x, p += 4) {
      out[x] = premultiplied_luma(p[0], p[1], p[2], p[kAlpha]);
      alpha[x] = p[kAlpha];
    }
  }
  for (int j = 0; j < chroma_.height; ++j) {
    const RowPair pair(image, j);
    std::uint8_t* out = chroma_.row(j);
    std::uint8_t* alpha = chroma_alpha_.row(j);
    for (std::ptrdiff_t i = 0; i < chroma_.width; ++i) {
      const ColourSum sum = sum_under(pair.rows, i, size_.width);
      if (sum.weight == 0) continue;
      const std::uint8_t a = rounded_ratio(sum.weight, kSitingWeight);
      // Premultiplied by the rounded alpha, so that grey stays exactly neutral.
      out[2 * i] = rounded_ratio(cb_in_units(sum) * a, kCbUnit * sum.weight * 255);
      out[2 * i + 1] = rounded_ratio(cr_in_units(sum) * a, kCrUnit * sum.weight * 255);
      alpha[2 * i] = a;
      alpha[2 * i + 1] = a;
    }
  }
}

}  // namespace pytoon::gpu
