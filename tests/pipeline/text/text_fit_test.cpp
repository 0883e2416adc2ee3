#include "tests/pipeline/text/text_fixture.h"

namespace pytoon::media {
namespace {

std::string repeated(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

class TextFit : public TextTest {};

TEST_F(TextFit, WhatFitsKeepsItsSize) {
  const Result<TextImage> picture = draw("Short");
  EXPECT_EQ(picture->size_px, 56);
  EXPECT_EQ(picture->lines, 1);
}

TEST_F(TextFit, LinesBreakAtWords) {
  const Result<TextImage> picture = draw("nnnnnnnnnn nnnnnnnnnn nnnnnnnnnn");
  EXPECT_EQ(picture->lines, 2);
  EXPECT_EQ(picture->size_px, 56);
}

TEST_F(TextFit, LinesAreBalanced) {
  const Result<TextImage> even = draw(repeated("nnnnn ", 6));
  EXPECT_EQ(even->lines, 2);
  EXPECT_EQ(even->ink.width, draw("nnnnn nnnnn nnnnn")->ink.width) << "three words on each line";
}

TEST_F(TextFit, KoreanBreaksBetweenWordsChineseAnywhere) {
  const std::string word = repeated("한", 13);
  const Result<TextImage> korean = draw(repeated("한", 6) + " " + word);
  EXPECT_EQ(korean->lines, 2);
  EXPECT_EQ(korean->ink.width, draw(word)->ink.width);
  const Result<TextImage> chinese = draw(repeated("漢", 20));
  EXPECT_EQ(chinese->lines, 2);
  EXPECT_EQ(chinese->size_px, 56);
}

TEST_F(TextFit, LinesAreCentred) {
  for (const char* text : {"nnn", "nnnnnnnnnnnnnnn nnnnnnnnnnnnnnn nnnnnnnnnnnnnnn", "你好"}) {
    const Result<TextImage> picture = draw(text);
    EXPECT_NEAR(picture->ink.x + picture->ink.width / 2.0, kBox.width / 2.0, 1.5) << text;
  }
}

TEST_F(TextFit, ALongWordShrinksUntilItFitsUnbroken) {
  const Result<TextImage> picture = draw(repeated("nu", 18));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->lines, 1);
  EXPECT_LT(picture->size_px, 56);
  EXPECT_GE(picture->size_px, 32);
  EXPECT_GT(picture->ink.width, kBox.width * 95 / 100) << "not smaller than need be";
}

TEST_F(TextFit, AtTheLeastSizeWordsBreak) {
  const Result<TextImage> picture = draw(repeated("nu", 40));
  ASSERT_TRUE(picture) << picture.failure().detail;
  EXPECT_EQ(picture->size_px, 32);
  EXPECT_EQ(picture->lines, 2);
  expect_whole(*picture, kBox, "broken");
}

TEST_F(TextFit, TooManyLinesShrinkAndThenAreRefused) {
  const gpu::Size low{900, 160};
  const Result<TextImage> three = draw("one\ntwo\nthree", {}, low);
  ASSERT_TRUE(three);
  EXPECT_LT(three->size_px, 56);
  EXPECT_LE(three->ink.height, low.height);
  const Result<TextImage> ten = draw(repeated("line\n", 10), {}, low);
  ASSERT_FALSE(ten);
  EXPECT_EQ(ten.failure().kind, FailureKind::kInvalid);
  EXPECT_THAT(ten.failure().detail, testing::HasSubstr("does not fit into 900x160 px"));
}

TEST_F(TextFit, ABoxNarrowerThanALetterIsRefused) {
  EXPECT_EQ(draw("W", {}, {10, 400}).failure().kind, FailureKind::kInvalid);
}

TEST_F(TextFit, TheBoxBindsTheOutlineToo) {
  TextStyle style;
  style.outline_px = 20;
  for (int letters = 20; letters < 60; letters += 3) {
    const Result<TextImage> picture = draw(repeated("W", letters), style);
    ASSERT_TRUE(picture) << letters;
    expect_whole(*picture, kBox, std::to_string(letters));
  }
}

TEST_F(TextFit, InkIsNeverClippedHoweverTallTheMarks) {
  for (const int marks : {1, 3, 6, 10}) {
    TextStyle style;
    style.shadow_sigma_px = 4;
    const std::string text =
        std::string("a").append(repeated("\u0302\u0301", marks)).append(" ཧཱུྃ ปื้ ကြွို");
    const Result<TextImage> picture = draw(text, style);
    if (!picture) {
      EXPECT_EQ(picture.failure().kind, FailureKind::kInvalid);
      continue;
    }
    expect_whole(*picture, kBox, text);
    EXPECT_GT(picture->ink.y, 0) << "a shadow's width from the border";
    EXPECT_LT(picture->ink.y + picture->ink.height, picture->image.size.height);
  }
}

TEST_F(TextFit, MeasureSaysWhatDrawDoes) {
  TextStyle style;
  style.outline_px = 3;
  style.shadow_sigma_px = 5;
  for (const std::string& text :
       {std::string("nnn"), std::string("Ágy 漢字 😀"), repeated("nu", 18), repeated("nu", 40)}) {
    const Result<TextImage> drawn = draw(text, style);
    const Result<TextImage> measured = library_->measure(text, style, kBox);
    ASSERT_TRUE(drawn && measured);
    EXPECT_TRUE(measured->image.pixels.empty());
    EXPECT_EQ(measured->size_px, drawn->size_px);
    EXPECT_EQ(measured->lines, drawn->lines);
    EXPECT_EQ(measured->first_baseline_px, drawn->first_baseline_px);
    EXPECT_EQ(measured->line_pitch_px, drawn->line_pitch_px);
    EXPECT_LE(measured->ink.x, drawn->ink.x);
    EXPECT_LE(measured->ink.y, drawn->ink.y);
    EXPECT_GE(measured->ink.width, drawn->ink.width);
    EXPECT_LE(measured->ink.width, drawn->ink.width + 12) << "emoji have empty edges";
    EXPECT_GE(measured->ink.height, drawn->ink.height);
    EXPECT_LE(measured->ink.height, drawn->ink.height + 6);
  }
}

TEST_F(TextFit, EndlessInputIsRefused) {
  EXPECT_EQ(draw(std::string("a").append(repeated("\u0301", 10000))).failure().kind,
            FailureKind::kInvalid);
  EXPECT_EQ(draw(repeated("word ", 1000)).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(draw(repeated("\n", 5000) + "x").failure().kind, FailureKind::kInvalid);
}

}  // namespace pytoon::media
