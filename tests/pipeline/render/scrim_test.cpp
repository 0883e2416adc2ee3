#include "pipeline/render/scrim.h"

#include <gtest/gtest.h>

namespace pytoon::render {
namespace {

Caption caption_of_blocks() {
  Caption caption;
  caption.text = gpu::RgbaImage({200, 60}, {255, 255, 255, 255});
  caption.place = {440, 1180, 200, 60};
  caption.ink = caption.place;
  return caption;
}

spec::RenderSpec spec_of(spec::Archetype archetype, spec::CaptionPosition position) {
  spec::RenderSpec spec;
  spec.archetype = archetype;
  spec.style.caption.position = position;
  return spec;
}

Backdrop grey(float code) { return {std::vector<Backdrop::Pixel>(100, {code, code, code})}; }

TEST(Contrast, BlackAndWhiteAreTheExtremes) {
  EXPECT_NEAR(contrast_under(grey(0), 0), 21, 1e-6);
  EXPECT_NEAR(contrast_under(grey(1), 0), 1, 1e-6);
}

TEST(Contrast, TheBrightestTwentiethDecides) {
  Backdrop mostly_black = grey(0);
  for (int i = 0; i < 4; ++i) mostly_black.pixels[static_cast<std::size_t>(i)] = {1, 1, 1};
  EXPECT_GT(contrast_under(mostly_black, 0), 20);
  for (int i = 4; i < 8; ++i) mostly_black.pixels[static_cast<std::size_t>(i)] = {1, 1, 1};
  EXPECT_NEAR(contrast_under(mostly_black, 0), 1, 1e-6);
}

TEST(ScrimOpacity, DeepensUntilTheTextCanBeRead) {
  for (const auto archetype :
       {spec::Archetype::kProductHero, spec::Archetype::kOverlay, spec::Archetype::kMemeText}) {
    for (const float code : {0.0F, 0.4F, 0.7F, 1.0F}) {
      const double opacity = scrim_opacity(archetype, grey(code));
      EXPECT_GE(contrast_under(grey(code), opacity), 4.5) << code;
    }
  }
  EXPECT_NEAR(scrim_opacity(spec::Archetype::kProductHero, grey(0)), 0.28, 1e-9);
}

TEST(Plate, TheMemeBarRunsFromTheTopEdgeToBelowTheText) {
  Caption caption = caption_of_blocks();
  caption.place.y = caption.ink.y = 269;
  const Plate plate = make_plate(
      spec_of(spec::Archetype::kMemeText, spec::CaptionPosition::kTopBar), caption, 0.75);
  EXPECT_EQ(plate.place.x, 0);
  EXPECT_EQ(plate.place.y, 0);
  EXPECT_EQ(plate.place.width, 1080);
  EXPECT_GT(plate.place.height, 269 + 60);
  EXPECT_EQ(plate.image.at(5, 5)[3], 191);
}

TEST(Plate, TheHeroBandIsSoftAboveAndRunsToTheBottom) {
  const Plate plate =
      make_plate(spec_of(spec::Archetype::kProductHero, spec::CaptionPosition::kLowerThird),
                 caption_of_blocks(), 0.5);
  EXPECT_EQ(plate.place.y + plate.place.height, 1920);
  EXPECT_LT(plate.image.at(10, 2)[3], 4);
  EXPECT_NEAR(plate.image.at(10, plate.place.height - 2)[3], 128, 1);
}

TEST(Backdrop, TakesTheFrameBehindTheGlyphs) {
  const int pitch = 1080;
  std::vector<std::uint8_t> luma(1080 * 1920, 16);
  std::vector<std::uint8_t> chroma(1080 * 960, 128);
  const Caption caption = caption_of_blocks();
  for (int y = caption.place.y; y < caption.place.y + 60; ++y) {
    std::fill_n(luma.begin() + y * pitch + caption.place.x, 200, std::uint8_t{235});
  }
  Backdrop backdrop;
  add_backdrop({{1080, 1920}, luma.data(), 1080, chroma.data(), 1080}, caption, backdrop);
  EXPECT_EQ(backdrop.pixels.size(), 100U * 30U);
  EXPECT_NEAR(contrast_under(backdrop, 0), 1, 0.01);
}

}  // namespace
}  // namespace pytoon::render
