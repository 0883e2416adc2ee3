#include <random>

#include "base/files.h"
#include "pipeline/media/image/image_file.h"
#include "tests/pipeline/image/odd_images.h"

namespace pytoon::media {
namespace {

class DamagedImage : public ImageTest {
 protected:
  // One file of each format and coding we take.
  std::vector<std::filesystem::path> good_files() const {
    const gpu::RgbaImage picture = noise_image({61, 47}, 3);
    std::vector<std::filesystem::path> files;
    const auto add = [&](const char* name, int (*coder)(VipsImage*, const char*)) {
      files.push_back(save(picture, name, coder));
    };
    add("a.png", [](VipsImage* in, const char* to) { return vips_pngsave(in, to, nullptr); });
    add("interlaced.png", [](VipsImage* in, const char* to) {
      return vips_pngsave(in, to, "interlace", TRUE, nullptr);
    });
    add("a.jpg", [](VipsImage* in, const char* to) { return vips_jpegsave(in, to, nullptr); });
    add("progressive.jpg", [](VipsImage* in, const char* to) {
      return vips_jpegsave(in, to, "interlace", TRUE, nullptr);
    });
    add("a.webp", [](VipsImage* in, const char* to) { return vips_webpsave(in, to, nullptr); });
    add("lossless.webp", [](VipsImage* in, const char* to) {
      return vips_webpsave(in, to, "lossless", TRUE, nullptr);
    });
    return files;
  }
};

// CRC-32 of ISO 3309, bit by bit.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void put_big_endian(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[at + i] = static_cast<char>((value >> (24 - 8 * i)) & 255U);
  }
}

}  // namespace

TEST_F(DamagedImage, GoodFilesAreGood) {
  for (const auto& file : good_files()) EXPECT_TRUE(inspect_image(file)) << file;
}

TEST_F(DamagedImage, TextNamedPngIsOfAnotherType) {
  const auto file = write("text.png", "I am not a picture, I only have the name of one.\n");
  EXPECT_EQ(outcome(inspect_image(file)), FailureKind::kUnsupportedType);
  EXPECT_EQ(outcome(read_image(file)), FailureKind::kUnsupportedType);
}

TEST_F(DamagedImage, OtherImagesAreOfAnotherType) {
  for (const char* bytes : {"GIF89a\x01\x01", "%PDF-1.7", "<svg></svg>", "P6 1 1 255 abc", "BM",
                            "II*\x08", "#EXTM3U", ""}) {
    const auto file = write("other.png", bytes);
    EXPECT_EQ(outcome(inspect_image(file)), FailureKind::kUnsupportedType) << bytes;
  }
}

TEST_F(DamagedImage, AMissingFileIsNotFound) {
  EXPECT_EQ(outcome(read_image(path("none.png"))), FailureKind::kNotFound);
}

TEST_F(DamagedImage, EdgesOver4096AreRefusedByTheHeader) {
  for (const gpu::Size size : {gpu::Size{5000, 2}, gpu::Size{2, 4097}}) {
    ASSERT_TRUE(write_png(gpu::RgbaImage(size), path("large.png")));
    EXPECT_EQ(outcome(inspect_image(path("large.png"))), FailureKind::kInvalid);
    ASSERT_TRUE(write_jpeg(gpu::RgbaImage(size), path("large.jpg")));
    EXPECT_EQ(outcome(read_image(path("large.jpg"))), FailureKind::kInvalid);
  }
}

TEST_F(DamagedImage, AHeaderThatPromisesABillionPixelsIsRefusedUndecoded) {
  ASSERT_TRUE(write_png(gpu::RgbaImage({4, 4}), path("a.png")));
  std::string bytes = *read_file(path("a.png"));
  put_big_endian(bytes, 16, 60000);
  put_big_endian(bytes, 20, 60000);
  put_big_endian(bytes, 29, crc32(std::string_view(bytes).substr(12, 17)));
  const Result<MediaInfo> facts = inspect_image(write("bomb.png", bytes));
  EXPECT_EQ(outcome(facts), FailureKind::kInvalid);
}

TEST_F(DamagedImage, ATruncatedFileIsMalformedWhereverItIsCut) {
  for (const auto& good : good_files()) {
    const std::string bytes = *read_file(good);
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 60);
    for (std::size_t cut = 12; cut < bytes.size(); cut += step) {
      const auto file = write("cut" + good.extension().string(), bytes.substr(0, cut));
      const Result<MediaInfo> facts = inspect_image(file);
      ASSERT_FALSE(facts) << good << " cut at " << cut << " of " << bytes.size();
      EXPECT_EQ(outcome(facts), FailureKind::kMalformed) << good << " cut at " << cut;
    }
    const bool jpeg = good.extension() == ".jpg";  // may lack its end marker
    for (std::size_t less = jpeg ? 3 : 1; less <= 6; ++less) {
      const auto file = write("cut", bytes.substr(0, bytes.size() - less));
      EXPECT_FALSE(read_image(file)) << good << " without its last " << less << " bytes";
    }
  }
}

TEST_F(DamagedImage, FlippedBitsAreDecidedAndNeverCrash) {
  std::mt19937 random(4);
  for (const auto& good : good_files()) {
    const std::string bytes = *read_file(good);
    for (int round = 0; round < 60; ++round) {
      std::string bad = bytes;
      for (int flip = 0; flip <= round % 5; ++flip) {
        char& byte = bad[random() % bad.size()];
        byte = static_cast<char>(byte ^ (1 << (random() % 8)));
      }
      const Result<gpu::RgbaImage> picture = read_image(write("bad", bad));
      if (picture) {
        EXPECT_EQ(picture->pixels.size(), static_cast<std::size_t>(picture->size.width) *
                                              static_cast<std::size_t>(picture->size.height) * 4);
      }
    }
  }
}

// Cameras and transfers lose the last bytes; all pixels are there.
TEST_F(DamagedImage, AJpegWithoutItsEndMarkerIsWhole) {
  for (const auto& good : good_files()) {
    if (good.extension() != ".jpg") continue;
    const std::string bytes = *read_file(good);
    for (const std::size_t less : {std::size_t{1}, std::size_t{2}}) {
      const auto file = write("cut.jpg", bytes.substr(0, bytes.size() - less));
      const auto picture = read_image(file);
      ASSERT_TRUE(picture) << good << " without its last " << less;
      EXPECT_EQ(picture->pixels, read_image(good)->pixels);
    }
  }
}

// A motion photo: the MP4 behind the picture holds any bytes, also those of markers.
TEST_F(DamagedImage, WhatStandsBehindAJpegIsNoPartOfIt) {
  for (const auto& good : good_files()) {
    if (good.extension() != ".jpg") continue;
    std::string bytes = *read_file(good);
    for (int i = 0; i < 200; ++i) bytes += "ftypmp42\xFF\xDA\xFF\xD9\xFF\xFF";
    const auto picture = read_image(write("motion.jpg", bytes));
    ASSERT_TRUE(picture) << good;
    EXPECT_EQ(picture->pixels, read_image(good)->pixels);
  }
}

TEST_F(DamagedImage, AJpegOfEndlessScansIsRefusedUndecoded) {
  const std::string bytes = *read_file(good_files()[3]);
  const std::size_t last_scan = bytes.rfind("\xFF\xDA");
  const std::string scan = bytes.substr(last_scan, bytes.size() - 2 - last_scan);
  std::string bomb = bytes.substr(0, bytes.size() - 2);
  for (int i = 0; i < 100; ++i) bomb += scan;
  EXPECT_EQ(outcome(inspect_image(write("scans.jpg", bomb + "\xFF\xD9"))), FailureKind::kInvalid);
}

TEST_F(DamagedImage, APngWithABadChecksumIsMalformed) {
  std::string bytes = *read_file(good_files().front());
  bytes[bytes.find("IDAT") + 40] ^= 1;
  EXPECT_EQ(outcome(read_image(write("crc.png", bytes))), FailureKind::kMalformed);
}

}  // namespace pytoon::media
