#include "gpu/cpu/cpu_texture.h"

#include <algorithm>
#include <cstddef>

#include "base/parallel.h"
#include "gpu/layer_geometry.h"
#include "gpu/texture_math.h"

namespace pytoon::gpu {
namespace {

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

// Each sample that is not as the one before it.
void convert_luma_row(const std::uint8_t* p, int width, std::uint8_t* out, std::uint8_t* alpha) {
  for (int x = 0; x < width; ++x, p += 4) {
    const bool as_before = x > 0 && std::equal(p, p + 4, p - 4);
    out[x] = as_before ? out[x - 1] : premultiplied_luma(p[0], p[1], p[2], p[kAlpha]);
    alpha[x] = p[kAlpha];
  }
}

bool same(const ColourSum& a, const ColourSum& b) {
  return a.r == b.r && a.g == b.g && a.b == b.b && a.weight == b.weight;
}

// As sum_under() for each sample, with each column of pixels summed once, and in flat areas, which
// images with alpha mostly are, each sample converted once.
void convert_chroma_row(const std::uint8_t* upper, const std::uint8_t* lower, int width,
                        std::uint8_t* out, std::uint8_t* alpha) {
  ColourSum left = column_sum(upper, lower);
  ColourSum converted;
  ChromaSample sample;
  for (int x = 0; x < width; x += 2, upper += 8, lower += 8, out += 2, alpha += 2) {
    const ColourSum centre = column_sum(upper, lower);
    const ColourSum right = x + 1 < width ? column_sum(upper + 4, lower + 4) : centre;
    const ColourSum sum = sited_sum(left, centre, right);
    if (!same(sum, converted)) {
      sample = chroma_sample(sum);
      converted = sum;
    }
    out[0] = sample.cb;
    out[1] = sample.cr;
    alpha[0] = sample.alpha;
    alpha[1] = sample.alpha;
    left = right;
  }
}

}  // namespace

CpuTexture::CpuTexture(const RgbaImage& image, const Kernels& kernels)
    : size_(image.size),
      opaque_(is_opaque(image)),
      content_(content_of(image, opaque_)),
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

CpuTexture::CpuTexture(const Nv12Frame& frame)
    : size_(frame.size),
      opaque_(true),
      content_{0, 0, size_.width, size_.height},
      luma_(size_.width, size_.height, 1),
      chroma_((size_.width + 1) / 2, (size_.height + 1) / 2, 2) {
  copy_rows(frame.luma, frame.luma_pitch_bytes, luma_);
  copy_rows(frame.chroma, frame.chroma_pitch_bytes, chroma_);
}

void CpuTexture::convert_opaque(const RgbaImage& image, const Kernels& kernels) {
  in_row_bands(luma_.height, [&](int first, int last) {
    for (int y = first; y < last; ++y) {
      kernels.luma_row(image.at(0, y), luma_.row(y), luma_.width);
    }
  });
  const auto width = static_cast<std::size_t>(size_.width);
  in_row_bands(chroma_.height, [&](int first, int last) {
    std::vector<std::uint16_t> sums[3];  // r, g, b, with a repeated column at each end
    for (auto& sum : sums) sum.resize(width + 2);
    for (int j = first; j < last; ++j) {
      const RowPair pair(image, j);
      kernels.sum_rows(pair.rows[0], pair.rows[1], &sums[0][1], &sums[1][1], &sums[2][1],
                       size_.width);
      for (auto& sum : sums) {
        sum[0] = sum[1];
        sum[width + 1] = sum[width];
      }
      kernels.chroma_row(&sums[0][1], &sums[1][1], &sums[2][1], chroma_.row(j), chroma_.width);
    }
  });
}

void CpuTexture::convert_with_alpha(const RgbaImage& image) {
  in_row_bands(luma_.height, [&](int first, int last) {
    for (int y = first; y < last; ++y) {
      convert_luma_row(image.at(0, y), luma_.width, luma_.row(y), luma_alpha_.row(y));
    }
  });
  in_row_bands(chroma_.height, [&](int first, int last) {
    for (int j = first; j < last; ++j) {
      const RowPair pair(image, j);
      convert_chroma_row(pair.rows[0], pair.rows[1], size_.width, chroma_.row(j),
                         chroma_alpha_.row(j));
    }
  });
}

}  // namespace pytoon::gpu
