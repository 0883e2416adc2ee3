#include "pipeline/media/image/image_structure.h"

#include "base/files.h"
#include "pipeline/media/image/image_file.h"
#include "tests/pipeline/image/odd_images.h"
#include "tests/support/source_dir.h"

namespace pytoon::media {
namespace {

using namespace std::string_view_literals;

class ImageStructure : public ImageTest {};

std::filesystem::path field(const char* name) {
  return support::source_dir() / "tests/field" / name;
}

TEST_F(ImageStructure, AJpegsScansAreCountedUpToItsEnd) {
  const auto head = "\xFF\xD8\xFF\xE1\x00\x06\xFF\xDA\xFF\xD9"sv;  // a thumbnail in a segment
  const auto scan = "\xFF\xDA\x00\x04xx data \xFF\x00 \xFF\xD3 more"sv;
  std::string jpeg = std::string(head) + std::string(scan) + std::string(scan);
  EXPECT_EQ(read_jpeg_structure(jpeg).scans, 2);
  EXPECT_FALSE(read_jpeg_structure(jpeg).ends);
  jpeg += "\xFF\xFF\xD9 anything \xFF\xDA\xFF\xDA\xFF\xDA";
  EXPECT_EQ(read_jpeg_structure(jpeg).scans, 2);
  EXPECT_TRUE(read_jpeg_structure(jpeg).ends);
  EXPECT_EQ(read_jpeg_structure("\xFF\xD8\xFF\xDA\xFF"sv).scans, 1);
  EXPECT_EQ(read_jpeg_structure("\xFF\xD8nonsense"sv).scans, 0);
}

TEST_F(ImageStructure, APngsLateOrientationIsHeeded) {
  const auto late = read_image(field("png_exif_late.png"));
  ASSERT_TRUE(late) << late.failure().detail;
  EXPECT_LT(mean_difference(*late, *read_image(field("png_upright.png"))), 3);
}

TEST_F(ImageStructure, OtherPngsStayAsTheyAre) {
  for (const std::string& png : {*read_file(field("png_upright.png")), std::string("\x89PNG\r\n"),
                                 std::string("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIDATxxxxxxxx")}) {
    std::string moved = png;
    move_exif_before_pixels(moved);
    EXPECT_TRUE(moved == png);
  }
}

TEST_F(ImageStructure, WhatAPngSaysInWordsIsDropped) {
  const auto chunk = [](const std::string& type, const std::string& data) {
    return std::string(3, '\0') + static_cast<char>(data.size()) + type + data + "sum!";
  };
  const std::string signature = "\x89PNG\r\n\x1A\n";
  const std::string head = chunk("IHDR", "head");
  const std::string rest =
      chunk("IDAT", "pixels tEXt") + chunk("IEND", "") + "\xFF\xFF\xFF\xFFzTXt";
  std::string png =
      signature + chunk("zTXt", "a") + head + chunk("tEXt", "bc") + chunk("iTXt", "") + rest;
  drop_text(png);
  EXPECT_EQ(png, signature + head + rest);
  std::string none = signature.substr(0, 5);
  drop_text(none);
  EXPECT_EQ(none, signature.substr(0, 5));
}

TEST_F(ImageStructure, ACamerasJpegWithoutEndIsTaken) {
  const auto facts = inspect_image(field("jpeg_no_end.jpg"));
  EXPECT_TRUE(facts) << facts.failure().detail;
}

}  // namespace
}  // namespace pytoon::media
