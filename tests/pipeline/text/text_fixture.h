// One font library for all cases of a suite (opening scans the font folders), in a temporary cache.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "pipeline/media/text/text.h"

namespace pytoon::media {

inline constexpr gpu::Size kBox{900, 400};

class TextTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  static Result<TextImage> draw(const std::string& text, const TextStyle& style = {},
                                gpu::Size box = kBox) {
    return library_->draw(text, style, box);
  }
  static FontLibrary::Options options();

  static std::filesystem::path folder_;
  static std::unique_ptr<FontLibrary> library_;
};

// Ink within box and image, at least one pixel of it, and not at the picture's border rows.
void expect_whole(const TextImage& picture, gpu::Size box, const std::string& what);
// How many pixels have any alpha, and how many are clearly coloured.
int inked_pixels(const gpu::RgbaImage& image);
int coloured_pixels(const gpu::RgbaImage& image);

}  // namespace pytoon::media
