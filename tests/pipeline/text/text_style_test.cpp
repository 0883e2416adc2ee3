#include <thread>

#include "tests/pipeline/text/text_fixture.h"

namespace pytoon::media {

class TextLooks : public TextTest {};

TEST_F(TextLooks, TheOutlineGrowsInkByItsWidthOnEverySide) {
  TextStyle outlined;
  outlined.outline_px = 6;
  const Result<TextImage> plain = draw("OOO");
  const Result<TextImage> grown = draw("OOO", outlined);
  EXPECT_NEAR(grown->ink.width, plain->ink.width + 12, 2);
  EXPECT_NEAR(grown->ink.height, plain->ink.height + 12, 2);
}

TEST_F(TextLooks, TheOutlineLiesBeneathTheLetters) {
  TextStyle style;
  style.color = {255, 255, 255, 255};
  style.outline_color = {255, 0, 0, 255};
  style.outline_px = 6;
  const Result<TextImage> plain = draw("OOO");
  const Result<TextImage> outlined = draw("OOO", style);
  const int down = outlined->first_baseline_px - plain->first_baseline_px;
  int checked = 0;
  for (int y = 0; y < plain->image.size.height; ++y) {
    for (int x = 0; x < plain->image.size.width; ++x) {
      if (plain->image.at(x, y)[3] < 255) continue;
      EXPECT_EQ(outlined->image.at(x, y + down)[1], 255);
      ++checked;
    }
  }
  EXPECT_GT(checked, 500);
  EXPECT_GT(coloured_pixels(outlined->image), 500);
}

TEST_F(TextLooks, LettersHaveTheColourAskedFor) {
  TextStyle style;
  style.color = {10, 200, 30, 255};
  const Result<TextImage> picture = draw("III", style);
  int solid = 0;
  for (std::size_t i = 0; i < picture->image.pixels.size(); i += 4) {
    const std::uint8_t* const p = picture->image.pixels.data() + i;
    if (p[3] < 255) continue;
    EXPECT_EQ((gpu::Rgba{p[0], p[1], p[2], p[3]}), style.color);
    ++solid;
  }
  EXPECT_GT(solid, 200);
}

TEST_F(TextLooks, TheShadowIsSoftBlackAndOutsideTheInk) {
  TextStyle style;
  style.shadow_sigma_px = 8;
  style.shadow_opacity = 1;
  const Result<TextImage> plain = draw("OOO");
  const Result<TextImage> shadowed = draw("OOO", style);
  EXPECT_EQ(shadowed->ink.width, plain->ink.width) << "ink is without the shadow";
  EXPECT_EQ(shadowed->ink.height, plain->ink.height);
  const gpu::Rect ink = shadowed->ink;
  const std::uint8_t* const below =
      shadowed->image.at(ink.x + ink.width / 2, ink.y + ink.height + 4);
  EXPECT_GT(below[3], 20);
  EXPECT_LT(below[3], 200);
  EXPECT_EQ(below[0], 0);
  EXPECT_EQ(shadowed->image.size.height - (ink.y + ink.height), 24) << "three sigma are kept";
  EXPECT_LE(shadowed->image.at(ink.x + ink.width / 2, shadowed->image.size.height - 1)[3], 2);
}

TEST_F(TextLooks, AHeavierWeightHasMoreInk) {
  TextStyle light;
  light.weight = 400;
  TextStyle black;
  black.weight = 900;
  const auto ink = [](const TextStyle& style) {
    double sum = 0;
    const Result<TextImage> picture = draw("Weight", style);
    for (std::size_t i = 3; i < picture->image.pixels.size(); i += 4)
      sum += picture->image.pixels[i];
    return sum;
  };
  EXPECT_GT(ink({}), ink(light) * 1.2);
  EXPECT_GT(ink(black), ink({}) * 1.1);
}

TEST_F(TextLooks, SenselessStylesAreRefused) {
  TextStyle style;
  style.size_px = 0;
  EXPECT_EQ(draw("x", style).failure().kind, FailureKind::kInvalid);
  style = {};
  style.outline_px = -1;
  EXPECT_EQ(draw("x", style).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(draw("x", {}, {0, 10}).failure().kind, FailureKind::kInvalid);
}

TEST_F(TextLooks, SameCallSamePixelsOnEveryThread) {
  TextStyle style;
  style.outline_px = 3;
  style.shadow_sigma_px = 6;
  const std::string text = "Ágy שלום 漢字 😀 नमस्ते";
  const Result<TextImage> want = draw(text, style);
  ASSERT_TRUE(want);
  std::vector<PagedBytes> seen(4);
  std::vector<std::thread> threads;
  for (auto& pixels : seen) {
    threads.emplace_back([&pixels, &text, &style] {
      for (int i = 0; i < 3; ++i) {
        (void)draw("other " + std::to_string(i), {});
        pixels = draw(text, style)->image.pixels;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& pixels : seen) EXPECT_EQ(pixels, want->image.pixels);
}

TEST_F(TextLooks, AnotherLibraryDrawsTheSame) {
  const Result<std::unique_ptr<FontLibrary>> other = FontLibrary::open(options());
  ASSERT_TRUE(other);
  const std::string text = "Ágy 漢字 😀";
  EXPECT_EQ((*other)->draw(text, {}, kBox)->image.pixels, draw(text)->image.pixels);
  EXPECT_EQ((*other)->fingerprint("Inter"), library_->fingerprint("Inter"));
}

}  // namespace pytoon::media
