#include "pipeline/media/image/image_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/pipeline/image/odd_images.h"

namespace pytoon::media {
namespace {

class ImageOps : public ImageTest {};

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

// Every output sample as the plain double sum over every source sample, edges repeated.
gpu::RgbaImage plain_lanczos(const gpu::RgbaImage& in, gpu::Size size) {
  gpu::RgbaImage out(size);
  const double step_x = static_cast<double>(in.size.width) / size.width;
  const double step_y = static_cast<double>(in.size.height) / size.height;
  const auto weight = [](double distance, double step) {
    const double t = distance / std::max(step, 1.0);
    return std::abs(t) < 3 ? sinc(t) * sinc(t / 3) : 0;
  };
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      double sum[4] = {0, 0, 0, 0};
      double total = 0;
      for (int v = -40; v < in.size.height + 40; ++v) {
        const double wy = weight(v - ((y + 0.5) * step_y - 0.5), step_y);
        for (int u = -40; wy != 0 && u < in.size.width + 40; ++u) {
          const double w = wy * weight(u - ((x + 0.5) * step_x - 0.5), step_x);
          const std::uint8_t* const p =
              in.at(std::clamp(u, 0, in.size.width - 1), std::clamp(v, 0, in.size.height - 1));
          for (int c = 0; c < 3; ++c) sum[c] += w * p[c] * p[3] / 255.0;
          sum[3] += w * p[3];
          total += w;
        }
      }
      const double alpha = std::clamp(sum[3] / total, 0.0, 255.0);
      for (int c = 0; c < 3; ++c) {
        const double straight = alpha < 0.5 ? 0 : sum[c] / total * 255.0 / (sum[3] / total);
        out.at(x, y)[c] = static_cast<std::uint8_t>(std::clamp(straight, 0.0, 255.0) + 0.5);
      }
      out.at(x, y)[3] = static_cast<std::uint8_t>(alpha + 0.5);
    }
  }
  return out;
}

// The response at `x` to a step from 0 to 1 at `edge`, the kernel sampled at whole px.
double gaussian_step(int x, int edge, double sigma) {
  double all = 0;
  double beyond = 0;
  for (int i = -1000; i <= 1000; ++i) {
    const double weight = std::exp(-0.5 * (i / sigma) * (i / sigma));
    all += weight;
    if (x + i >= edge) beyond += weight;
  }
  return beyond / all;
}

// Black on the left half, white on the right.
gpu::RgbaImage step_picture(gpu::Size size) {
  gpu::RgbaImage picture(size, {0, 0, 0, 255});
  for (int y = 0; y < size.height; ++y) {
    for (int x = size.width / 2; x < size.width; ++x) std::fill_n(picture.at(x, y), 3, 255);
  }
  return picture;
}

}  // namespace

TEST_F(ImageOps, ResizeEqualsThePlainSum) {
  const gpu::RgbaImage picture = noise_image({37, 23}, 5);
  for (const gpu::Size size :
       {gpu::Size{11, 7}, gpu::Size{80, 60}, gpu::Size{37, 5}, gpu::Size{1, 1}, gpu::Size{9, 70}}) {
    EXPECT_LE(max_difference(*resize(picture, size), plain_lanczos(picture, size)), 1)
        << size.width << "x" << size.height;
  }
}

TEST_F(ImageOps, ResizeKeepsAFlatColourAndIgnoresColourUnderClearPixels) {
  EXPECT_LE(max_difference(*resize(gpu::RgbaImage({50, 40}, {12, 200, 99, 255}), {333, 17}),
                           gpu::RgbaImage({333, 17}, {12, 200, 99, 255})),
            0);
  gpu::RgbaImage picture({40, 40}, {0, 255, 0, 0});  // green, but invisible
  for (int y = 10; y < 30; ++y) {
    for (int x = 10; x < 30; ++x) picture.at(x, y)[1] = 0, picture.at(x, y)[3] = 255;
  }
  const gpu::RgbaImage small = *resize(picture, {13, 13});
  for (std::size_t i = 0; i < small.pixels.size(); i += 4) EXPECT_EQ(small.pixels[i + 1], 0);
}

TEST_F(ImageOps, SenselessSizesAreRefused) {
  const gpu::RgbaImage picture = muted_picture({4, 4});
  EXPECT_EQ(outcome(resize(picture, {0, 4})), FailureKind::kInvalid);
  EXPECT_EQ(outcome(resize(gpu::RgbaImage(), {4, 4})), FailureKind::kInvalid);
  EXPECT_EQ(outcome(cover(picture, {4, 1 << 20})), FailureKind::kInvalid);
  EXPECT_EQ(outcome(silhouette(picture, {}, -1, 1, 1)), FailureKind::kInvalid);
  EXPECT_EQ(outcome(blur(picture, -1)), FailureKind::kInvalid);
  EXPECT_EQ(outcome(blur(picture, std::nan(""))), FailureKind::kInvalid);
}

TEST_F(ImageOps, CoverTakesTheMiddle) {
  gpu::RgbaImage wide({90, 30}, {255, 0, 0, 255});
  for (int y = 0; y < 30; ++y) {
    for (int x = 30; x < 60; ++x) wide.at(x, y)[0] = 0, wide.at(x, y)[2] = 255;
  }
  const gpu::RgbaImage square = *cover(wide, {20, 20});
  ASSERT_EQ(square.size, (gpu::Size{20, 20}));
  EXPECT_EQ(square.at(10, 10)[2], 255);
  EXPECT_GT(square.at(1, 10)[2], 200) << "only the blue third is left";
  EXPECT_GT(square.at(18, 10)[2], 200);
  const gpu::RgbaImage tall = muted_picture({20, 300});
  EXPECT_LE(max_difference(*cover(tall, {20, 100}), crop(tall, {0, 100, 20, 100})), 0);
}

TEST_F(ImageOps, BlurIsAGaussian) {
  for (const double sigma : {1.2, 2.0, 6.0, 20.0, 40.0}) {
    const gpu::Size size{512, 256};
    const gpu::RgbaImage soft = *blur(step_picture(size), sigma);
    for (int x = 0; x < size.width; x += 3) {
      const double want = 255 * gaussian_step(x, size.width / 2, sigma);
      ASSERT_NEAR(soft.at(x, 128)[0], want, 1.3) << "sigma " << sigma << " at " << x;
    }
  }
}

TEST_F(ImageOps, BlurExtendsEdgesAndKeepsAlphaTrue) {
  const gpu::RgbaImage flat({300, 200}, {30, 60, 90, 255});
  EXPECT_EQ(blur(flat, 50)->pixels, flat.pixels);
  EXPECT_EQ(blur(flat, 3)->pixels, flat.pixels);
  gpu::RgbaImage half({64, 64}, {0, 255, 0, 0});
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 32; ++x)
      half.at(x, y)[1] = 0, half.at(x, y)[0] = 200, half.at(x, y)[3] = 255;
  }
  const gpu::RgbaImage soft = *blur(half, 4);
  EXPECT_NEAR(soft.at(34, 30)[0], 200, 2) << "colour does not mix with invisible green";
  EXPECT_LE(soft.at(34, 30)[1], 1);
}

TEST_F(ImageOps, DarkenScalesColourOnly) {
  const gpu::RgbaImage dark = darken(gpu::RgbaImage({1, 1}, {200, 100, 51, 77}), 0.5);
  EXPECT_EQ(dark.pixels, (PagedBytes{100, 50, 26, 77}));
}

TEST_F(ImageOps, MaskMultipliesAlphaAndIsScaled) {
  const gpu::RgbaImage picture({20, 10}, {1, 2, 3, 200});
  const gpu::RgbaImage out = *apply_mask(picture, gpu::RgbaImage({4, 4}, {9, 9, 9, 128}));
  EXPECT_EQ(out.size, picture.size);
  for (std::size_t i = 0; i < out.pixels.size(); i += 4) {
    EXPECT_EQ(out.pixels[i], 1);
    EXPECT_EQ(out.pixels[i + 3], 100);
  }
}

TEST_F(ImageOps, SilhouetteIsGrownColouredAndSoft) {
  const gpu::RgbaImage picture({100, 80}, {255, 255, 255, 255});
  const gpu::RgbaImage shadow = *silhouette(picture, {10, 20, 30, 255}, 40, 8, 0.5);
  ASSERT_EQ(shadow.size, (gpu::Size{180, 160}));
  EXPECT_EQ(shadow.at(90, 80)[3], 128);
  EXPECT_NEAR(shadow.at(40, 80)[3], 64, 6) << "half as much at the edge";
  EXPECT_EQ(shadow.at(2, 80)[3], 0);
  EXPECT_EQ(shadow.at(0, 0)[0], 10);
  EXPECT_EQ(shadow.at(90, 80)[2], 30);
}

TEST_F(ImageOps, BoundsCropAndDrawOver) {
  gpu::RgbaImage canvas({30, 20});
  EXPECT_EQ(opaque_bounds(canvas), gpu::Rect{});
  draw_over(canvas, gpu::RgbaImage({5, 4}, {9, 8, 7, 255}), 10, 6);
  EXPECT_EQ(opaque_bounds(canvas), (gpu::Rect{10, 6, 5, 4}));
  draw_over(canvas, gpu::RgbaImage({5, 4}, {1, 1, 1, 255}), 28, -2);
  EXPECT_EQ(opaque_bounds(canvas), (gpu::Rect{10, 0, 20, 10}));
  EXPECT_EQ(crop(canvas, {28, 0, 2, 2}).pixels, gpu::RgbaImage({2, 2}, {1, 1, 1, 255}).pixels);
  EXPECT_EQ(crop(canvas, {29, 19, 50, 50}).size, (gpu::Size{1, 1}));
  EXPECT_EQ(crop(canvas, {40, 40, 5, 5}).size, (gpu::Size{0, 0}));
}

TEST_F(ImageOps, DrawOverIsTheOverOperator) {
  gpu::RgbaImage opaque({1, 1}, {0, 100, 255, 255});
  draw_over(opaque, gpu::RgbaImage({1, 1}, {255, 100, 0, 128}), 0, 0);
  EXPECT_EQ(opaque.pixels, (PagedBytes{128, 100, 127, 255}));
  gpu::RgbaImage clear({1, 1}, {0, 0, 0, 0});
  draw_over(clear, gpu::RgbaImage({1, 1}, {255, 100, 0, 128}), 0, 0);
  EXPECT_EQ(clear.pixels, (PagedBytes{255, 100, 0, 128}));
}

TEST_F(ImageOps, SameCallSamePixels) {
  const gpu::RgbaImage picture = noise_image({200, 150}, 6);
  EXPECT_EQ(resize(picture, {77, 333})->pixels, resize(picture, {77, 333})->pixels);
  EXPECT_EQ(blur(picture, 9)->pixels, blur(picture, 9)->pixels);
}

}  // namespace pytoon::media
