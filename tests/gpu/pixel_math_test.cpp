#include "gpu/pixel_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/gpu/reference.h"

namespace pytoon::gpu {
namespace {

int rounded(double value) { return static_cast<int>(std::floor(value + 0.5)); }

TEST(PixelMath, ColoursAreRoundedCorrectly) {
  for (std::uint32_t r = 0; r < 256; r += 5) {
    for (std::uint32_t g = 0; g < 256; g += 3) {
      for (std::uint32_t b = 0; b < 256; b += 5) {
        const Ycc exact = reference_colour(r, g, b);
        ASSERT_NEAR(luma(r, g, b), exact.y, 0.5 + 1e-9);
        const ColourSum sum{static_cast<std::int32_t>(r), static_cast<std::int32_t>(g),
                            static_cast<std::int32_t>(b), 1};
        ASSERT_NEAR(rounded_ratio(cb_in_units(sum), kCbUnit), exact.cb, 0.5 + 1e-9);
        ASSERT_NEAR(rounded_ratio(cr_in_units(sum), kCrUnit), exact.cr, 0.5 + 1e-9);
      }
    }
  }
}

TEST(PixelMath, OpaqueChromaIsTheSameSum) {
  for (int r = 0; r <= 8 * 255; r += 17) {
    for (int g = 0; g <= 8 * 255; g += 40) {
      for (int b = 0; b <= 8 * 255; b += 17) {
        const ColourSum sum{r, g, b, kSitingWeight};
        ASSERT_EQ(opaque_cb(r, g, b), rounded_ratio(cb_in_units(sum), kCbUnit * kSitingWeight));
        ASSERT_EQ(opaque_cr(r, g, b), rounded_ratio(cr_in_units(sum), kCrUnit * kSitingWeight));
      }
    }
  }
}

TEST(PixelMath, PremultipliedLumaIsRoundedOnce) {
  for (std::uint32_t a = 0; a < 256; ++a) {
    for (std::uint32_t v = 0; v < 256; v += 3) {
      const double exact = reference_colour(v, 255 - v, 90).y * a / 255;
      ASSERT_NEAR(premultiplied_luma(v, 255 - v, 90, a), exact, 0.5 + 1e-9);
    }
    ASSERT_EQ(premultiplied_luma(255, 255, 255, a), rounded(235.0 * a / 255));
  }
}

TEST(PixelMath, PositionsRoundDownwardsOnBothSidesOfZero) {
  for (const double origin : {-3.25, -1.0, -0.7, 0.0, 0.3, 812.875}) {
    for (int i = 0; i < 40; ++i) {
      const double exact = origin + 0.37 * (i + 0.5) - 0.5;
      const double fixed = static_cast<double>(texture_position(origin, 0.37, i)) / 65536;
      ASSERT_NEAR(fixed, exact, 0.5 / 65536 + 1e-9);
    }
  }
  EXPECT_EQ(texture_position(-2, 1, 0), -2 * 65536);
  EXPECT_EQ(texture_position(-2.25, 1, 0), -2 * 65536 - 16384);
}

TEST(PixelMath, ChromaFollowsTheSiting) {
  // Definition: texture = origin + step (frame + 0.5) - 0.5, at frame column 2i and row 2j + 0.5.
  for (const double step : {0.2, 0.75, 1.0, 1.6}) {
    for (int i = 0; i < 5; ++i) {
      const double x = (3.3 + step * (2 * i + 0.5) - 0.5) / 2;
      const double y = ((3.3 + step * (2 * i + 1) - 0.5) - 0.5) / 2;
      EXPECT_NEAR(chroma_origin_x(3.3, step) + step * (i + 0.5) - 0.5, x, 1e-12);
      EXPECT_NEAR(chroma_origin_y(3.3) + step * (i + 0.5) - 0.5, y, 1e-12);
    }
  }
}

TEST(PixelMath, WeightsAreCatmullRomAndSumToOne) {
  for (std::uint32_t fraction = 0; fraction < 65536; ++fraction) {
    const Weights w = catmull_rom(fraction);
    ASSERT_EQ(w.tap[0] + w.tap[1] + w.tap[2] + w.tap[3], kWeightOne);
    const double t = fraction / 65536.0;
    ASSERT_NEAR(w.tap[0], kWeightOne * 0.5 * (-t + 2 * t * t - t * t * t), 0.51);
    ASSERT_NEAR(w.tap[1], kWeightOne * 0.5 * (2 - 5 * t * t + 3 * t * t * t), 2.01);
    ASSERT_NEAR(w.tap[2], kWeightOne * 0.5 * (t + 4 * t * t - 3 * t * t * t), 2.01);
    ASSERT_NEAR(w.tap[3], kWeightOne * 0.5 * (t * t * t - t * t), 0.51);
  }
  EXPECT_EQ(catmull_rom(0).tap[1], kWeightOne);
}

TEST(PixelMath, Div255RoundsToNearest) {
  for (int v = 0; v <= 255 * 255; ++v) {
    ASSERT_EQ(div255(static_cast<std::uint16_t>(v)), rounded(v / 255.0));
  }
}

// Stored colours are at most 240 * alpha / 255, and two passes overshoot by at most 1.125 each.
TEST(PixelMath, SettleTakesTheOvershootOfBoth) {
  for (std::int16_t alpha = -64; alpha <= 323; ++alpha) {
    const double held = std::clamp<double>(alpha, 0, 255);
    for (std::int16_t colour = -64; colour <= 304; ++colour) {
      const double shrunk = alpha > 255 ? colour * 255.0 / alpha : colour;
      const double exact = std::clamp(shrunk, 16 * held / 255, 235 * held / 255);
      ASSERT_NEAR(settle(colour, alpha, kLumaRange), exact, alpha <= 292 ? 1.1 : 3.0);
    }
  }
}

TEST(PixelMath, BlendsStayInRangeAndAgree) {
  for (int a = 0; a < 256; ++a) {
    const auto alpha = static_cast<std::uint16_t>(a);
    for (const std::int16_t colour : {0, 17, 90, 255}) {
      const std::uint8_t held = settle(colour, static_cast<std::int16_t>(a), kLumaRange);
      for (std::uint16_t frame = 16; frame <= 235; ++frame) {
        const int out = blend(frame, held, alpha);
        ASSERT_GE(out, 16);
        ASSERT_LE(out, 235);
        ASSERT_EQ(out, blend_faded(frame, held, alpha, 256));
        for (const std::uint32_t opacity : {0U, 1U, 77U, 200U}) {
          const double part = opacity / 256.0;
          const double exact = held * part + frame * (1 - a / 255.0 * part);
          ASSERT_NEAR(blend_faded(frame, held, alpha, opacity), exact, 0.5 + 1e-9);
        }
      }
    }
    ASSERT_EQ(blend(235, div255(static_cast<std::uint16_t>(235 * a)), alpha), 235);
  }
}

TEST(PixelMath, LerpReachesBothEnds) {
  for (int v = 0; v < 256; ++v) {
    const auto from = static_cast<std::uint16_t>(v);
    const auto to = static_cast<std::uint16_t>(255 - v);
    ASSERT_EQ(lerp(from, to, 0), v);
    ASSERT_EQ(lerp(from, to, 256), 255 - v);
    ASSERT_NEAR(lerp(from, to, 77), v + (255 - 2 * v) * 77 / 256.0, 0.5);
  }
}

}  // namespace
}  // namespace pytoon::gpu
