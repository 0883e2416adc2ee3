// What a viewer would notice: colours, edges, motion, fades.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "gpu/cpu/cpu_device.h"
#include "tests/gpu/reference.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu {
namespace {

Scene one_layer(Size frame, RgbaImage picture, Sampling x, Sampling y) {
  Scene scene;
  scene.frame = frame;
  scene.pictures.push_back(std::move(picture));
  scene.base.push_back({0, x, y, {0, 0, frame.width, frame.height}, 256});
  return scene;
}

void expect_flat(const GuardedFrame& frame, Size size, const Ycc& colour, double tolerance) {
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      ASSERT_NEAR(frame.luma(x, y), colour.y, tolerance) << x << ',' << y;
      ASSERT_NEAR(frame.chroma(x / 2, y / 2, 0), colour.cb, tolerance) << x << ',' << y;
      ASSERT_NEAR(frame.chroma(x / 2, y / 2, 1), colour.cr, tolerance) << x << ',' << y;
    }
  }
}

std::vector<Rgba> chart() {
  std::vector<Rgba> colours{{0, 0, 0},     {255, 255, 255}, {255, 0, 0},
                            {0, 255, 0},   {0, 0, 255},     {255, 255, 0},
                            {0, 255, 255}, {255, 0, 255},   {200, 30, 120}};
  for (int v = 0; v < 256; v += 15) {
    const auto grey = static_cast<std::uint8_t>(v);
    colours.push_back({grey, grey, grey});
  }
  return colours;
}

TEST(ComposedFrame, FlatColoursAreExactAtAnyStep) {
  const auto device = make_cpu_device();
  for (const Rgba& c : chart()) {
    const Ycc exact = reference_colour(c.r, c.g, c.b);
    for (const double step : {0.2, 0.83, 1.0, 2.0}) {
      const Scene scene = one_layer({34, 18}, RgbaImage({21, 33}, c), {0.3, step}, {-4.7, step});
      expect_flat(compose(*device, scene), scene.frame, exact, 0.5 + 1e-9);
    }
  }
}

TEST(ComposedFrame, GreyStaysNeutralThroughAlphaAndFades) {
  const auto device = make_cpu_device();
  RgbaImage grey({40, 40}, {90, 90, 90, 255});
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) grey.at(x, y)[3] = static_cast<std::uint8_t>(6 * x + y / 2);
  }
  Scene scene = one_layer({40, 40}, grey, {0, 1}, {0, 1});
  for (const int opacity : {256, 77}) {
    scene.base[0].opacity_256 = opacity;
    const GuardedFrame frame = compose(*device, scene);
    for (int j = 0; j < 20; ++j) {
      for (int i = 0; i < 40; ++i) ASSERT_EQ(frame.chroma(i / 2, j, i % 2), 128);
    }
  }
}

// Transparent pixels of another, loud colour around a disc: none of it may show.
RgbaImage disc(Rgba inside, Rgba outside) {
  RgbaImage image({41, 41}, outside);
  for (int y = 0; y < 41; ++y) {
    for (int x = 0; x < 41; ++x) {
      if (std::hypot(x - 20, y - 20) > 14) continue;
      std::uint8_t* p = image.at(x, y);
      p[0] = inside.r;
      p[1] = inside.g;
      p[2] = inside.b;
      p[3] = inside.a;
    }
  }
  return image;
}

TEST(ComposedFrame, TransparentColoursNeverFringe) {
  const auto device = make_cpu_device();
  const std::vector<std::pair<Rgba, Rgba>> cases{{{255, 255, 255, 255}, {0, 0, 0, 0}},
                                                 {{255, 0, 0, 255}, {0, 255, 0, 0}},
                                                 {{0, 0, 0, 255}, {255, 255, 255, 0}}};
  for (const auto& [inside, outside] : cases) {
    for (const double step : {0.37, 1.0, 1.3}) {
      Scene scene = one_layer({60, 60}, RgbaImage({4, 4}, inside), {0, 1}, {0, 1});
      scene.pictures.push_back(disc(inside, outside));
      scene.top.push_back({1, {-3.3, step}, {1.6, step}, {0, 0, 60, 60}, 256});
      const Ycc flat = reference_colour(inside.r, inside.g, inside.b);
      expect_flat(compose(*device, scene), scene.frame, flat, 1.5);
    }
  }
}

TEST(ComposedFrame, OvershootStaysWithinTheLegalRange) {
  const auto device = make_cpu_device();
  RgbaImage checks({32, 32}, {0, 0, 0, 255});
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool white = (x / 4 + y / 4) % 2 == 0;
      const bool blue = (x / 8) % 2 == 0;
      checks.at(x, y)[0] = white ? 255 : 0;
      checks.at(x, y)[1] = white && !blue ? 255 : 0;
      checks.at(x, y)[2] = white || blue ? 255 : 0;
      checks.at(x, y)[3] = (x + y) % 5 == 0 && y > 16 ? 60 : 255;
    }
  }
  const Scene scene = one_layer({90, 90}, checks, {0.21, 0.35}, {0.4, 0.35});
  const GuardedFrame frame = compose(*device, scene);
  for (int y = 0; y < 90; ++y) {
    for (int x = 0; x < 90; ++x) {
      ASSERT_GE(frame.luma(x, y), 16);
      ASSERT_LE(frame.luma(x, y), 235);
      ASSERT_GE(frame.chroma(x / 2, y / 2, x % 2), 16);
      ASSERT_LE(frame.chroma(x / 2, y / 2, x % 2), 240);
    }
  }
}

struct Point {
  double x;
  double y;
};

Point luma_centroid(const GuardedFrame& frame, Size size) {
  double mass = 0;
  Point sum{};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double m = frame.luma(x, y) - 16;
      mass += m;
      sum.x += m * x;
      sum.y += m * y;
    }
  }
  return {sum.x / mass, sum.y / mass};
}

// In luma pixels, by the siting.
Point cr_centroid(const GuardedFrame& frame, Size size) {
  double mass = 0;
  Point sum{};
  for (int j = 0; j < size.height / 2; ++j) {
    for (int i = 0; i < size.width / 2; ++i) {
      const double m = frame.chroma(i, j, 1) - 128;
      mass += m;
      sum.x += m * 2 * i;
      sum.y += m * (2 * j + 0.5);
    }
  }
  return {sum.x / mass, sum.y / mass};
}

constexpr Point kBlob{31.3, 32.1};

// Steep enough that 0.05 pixel shows in 8 bits: gentle slopes round back to where they were.
RgbaImage blob(Rgba colour) {
  RgbaImage image({64, 64}, {0, 0, 0, 255});
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const double square = std::pow(x - kBlob.x, 2) + std::pow(y - kBlob.y, 2);
      const double bright = std::exp(-square / 20);
      image.at(x, y)[0] = static_cast<std::uint8_t>(std::lround(colour.r * bright));
      image.at(x, y)[1] = static_cast<std::uint8_t>(std::lround(colour.g * bright));
      image.at(x, y)[2] = static_cast<std::uint8_t>(std::lround(colour.b * bright));
    }
  }
  return image;
}

// The blob's centre in the frame, from the definition of Sampling.
double expected(double centre, const Sampling& s) {
  return (centre + 0.5 - s.origin) / s.step - 0.5;
}

TEST(ComposedFrame, MotionIsSubPixelInLumaAndChroma) {
  const auto device = make_cpu_device();
  const Size size{64, 64};
  for (const double step : {1.0, 0.8}) {
    double previous = 0;
    for (int n = 0; n <= 60; ++n) {
      const Sampling x{6 - 0.05 * step * n, step};
      const Sampling y{7 + 0.03 * step * n, step};
      const Scene white = one_layer(size, blob({255, 255, 255, 255}), x, y);
      const Point luma = luma_centroid(compose(*device, white), size);
      EXPECT_NEAR(luma.x, expected(kBlob.x, x), 0.02) << "frame " << n;
      EXPECT_NEAR(luma.y, expected(kBlob.y, y), 0.02) << "frame " << n;
      EXPECT_GT(luma.x, previous + 0.03) << "frame " << n;
      previous = luma.x;
      const Scene red = one_layer(size, blob({255, 0, 0, 255}), x, y);
      const Point chroma = cr_centroid(compose(*device, red), size);
      EXPECT_NEAR(chroma.x, expected(kBlob.x, x), 0.06) << "frame " << n;
      EXPECT_NEAR(chroma.y, expected(kBlob.y, y), 0.06) << "frame " << n;
    }
  }
}

TEST(ComposedFrame, OpacityFadesEvenly) {
  const auto device = make_cpu_device();
  Scene scene = one_layer({16, 16}, RgbaImage({16, 16}, {0, 0, 0, 255}), {0, 1}, {0, 1});
  RgbaImage white({16, 16}, {255, 255, 255, 255});
  white.at(15, 15)[3] = 0;
  scene.pictures.push_back(white);                                      // blended
  scene.pictures.push_back(RgbaImage({16, 16}, {255, 255, 255, 255}));  // opaque: lerped
  for (const std::size_t picture : {std::size_t{1}, std::size_t{2}}) {
    scene.top = {{picture, {0, 1}, {0, 1}, {0, 0, 16, 16}, 256}};
    for (int opacity = 0; opacity <= 256; ++opacity) {
      scene.top[0].opacity_256 = opacity;
      ASSERT_NEAR(compose(*device, scene).luma(3, 3), 16 + 219 * opacity / 256.0, 0.5 + 1e-9);
    }
  }
}

TEST(ComposedFrame, ClipsThatTileDrawEverySampleOnce) {
  const auto device = make_cpu_device();
  Scene scene = one_layer({30, 22}, blob({255, 40, 90, 255}), {20.4, 0.9}, {21.3, 0.9});
  scene.base[0].opacity_256 = 100;
  const GuardedFrame whole = compose(*device, scene);
  SceneLayer part = scene.base[0];
  scene.base.clear();
  for (const auto& [x, width] : {std::pair{0, 7}, {7, 1}, {8, 13}, {21, 9}}) {
    for (const auto& [y, height] : {std::pair{0, 1}, {1, 14}, {15, 7}}) {
      part.clip = {x, y, width, height};
      scene.base.push_back(part);
    }
  }
  EXPECT_TRUE(compose(*device, scene) == whole);
}

TEST(ComposedFrame, CrossfadeEndsAreTheirOwnImages) {
  const auto device = make_cpu_device();
  Scene scene = one_layer({30, 22}, blob({255, 40, 90, 255}), {20.4, 0.9}, {21.3, 0.9});
  const GuardedFrame base = compose(*device, scene);
  scene.pictures.push_back(RgbaImage({9, 9}, {10, 200, 30, 255}));
  scene.incoming = {{1, {0, 1}, {0, 1}, {0, 0, 30, 22}, 256}};
  EXPECT_TRUE(compose(*device, scene) == base);
  scene.mix_256 = 256;
  Scene incoming = scene;
  incoming.base = scene.incoming;
  incoming.mix_256 = 0;
  EXPECT_TRUE(compose(*device, scene) == compose(*device, incoming));
}

TEST(ComposedFrame, NothingIsBlack) {
  const auto device = make_cpu_device();
  Scene scene;
  scene.frame = {10, 6};
  expect_flat(compose(*device, scene), scene.frame, {16, 128, 128}, 0);
}

// Laid pixel for pixel, an adopted frame comes out as it went in.
TEST(ComposedFrame, AdoptsAFrameAsItIs) {
  const auto device = make_cpu_device();
  constexpr Size kSize{6, 4};
  constexpr std::size_t kPitch = 8;
  std::vector<std::uint8_t> bytes(kPitch * 6);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(16 + 3 * i);
  const std::vector<std::uint8_t> original = bytes;
  Nv12Frame frame;
  frame.size = kSize;
  frame.luma = bytes.data();
  frame.luma_pitch_bytes = kPitch;
  frame.chroma = bytes.data() + kPitch * 4;
  frame.chroma_pitch_bytes = kPitch;
  const auto texture = device->adopt(frame);
  ASSERT_TRUE(texture);
  EXPECT_TRUE((*texture)->opaque());
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});  // it has a copy of its own

  Composition composition;
  composition.base.push_back({*texture, {}, {}, {0, 0, kSize.width, kSize.height}});
  GuardedFrame drawn(kSize);
  ASSERT_TRUE(device->make_compositor()->compose(composition, drawn.view()));
  for (int y = 0; y < kSize.height; ++y) {
    for (int x = 0; x < kSize.width; ++x) {
      const std::size_t at = static_cast<std::size_t>(y) * kPitch + static_cast<std::size_t>(x);
      EXPECT_EQ(drawn.luma(x, y), original[at]);
      if (y < 2) {
        EXPECT_EQ(drawn.chroma(x / 2, y, x % 2), original[kPitch * 4 + at]);
      }
    }
  }
}

}  // namespace
}  // namespace pytoon::gpu
