// HEIC and AVIF stills, as phones keep them and sites serve them.
#include <vips/vips.h>

#include "base/files.h"
#include "pipeline/media/image/image_file.h"
#include "tests/pipeline/image/heif_file.h"
#include "tests/pipeline/image/odd_images.h"

namespace pytoon::media {
namespace {

constexpr gpu::Size kTall{64, 96};

class HeifImage : public ImageTest {
 protected:
  std::filesystem::path heif(const gpu::RgbaImage& picture, const HeifOptions& options,
                             const std::string& name = "still.heic") const {
    return write(name, heif_file(picture, options));
  }
};

// What libvips calls Display P3, as an ICC profile.
std::string display_p3() {
  VipsBlob* blob = nullptr;
  EXPECT_EQ(vips_profile_load("p3", &blob, nullptr), 0);
  std::size_t size = 0;
  const void* const data = vips_blob_get(blob, &size);
  const std::string profile(static_cast<const char*>(data), size);
  vips_area_unref(VIPS_AREA(blob));
  return profile;
}

// The numbers that Display P3 has for the colours of the picture.
gpu::RgbaImage in_display_p3(const gpu::RgbaImage& picture) {
  const VipsImagePtr borrowed = borrow(picture);
  const VipsImagePtr p3 =
      convert(without_alpha(borrowed.get()).get(), [](VipsImage* in, VipsImage** out) {
        return vips_icc_transform(in, out, "p3", "input_profile", "srgb", nullptr);
      });
  const VipsImagePtr opaque = convert(
      p3.get(), [](VipsImage* in, VipsImage** out) { return vips_addalpha(in, out, nullptr); });
  return *take_pixels(opaque.get(), FailureKind::kMedia, "p3");
}

TEST_F(HeifImage, HeicAndAvifAreTaken) {
  const gpu::RgbaImage picture = muted_picture(kTall);
  for (const bool avif : {false, true}) {
    for (const int bits : avif ? std::vector{8} : std::vector{8, 10}) {
      const auto file = heif(picture, {.avif = avif, .bits = bits});
      const Result<MediaInfo> info = inspect_image(file);
      ASSERT_TRUE(info) << info.failure().detail;
      EXPECT_EQ(info->format, avif ? "avif" : "heic");
      EXPECT_EQ(info->size, kTall);
      EXPECT_FALSE(info->has_alpha);
      EXPECT_EQ(read_image_header(file)->size, kTall);
      EXPECT_LT(mean_difference(*read_image(file), picture), 2) << avif << bits;
    }
  }
}

TEST_F(HeifImage, AlphaIsKept) {
  const gpu::RgbaImage picture = fading_image(kTall);
  const auto file = heif(picture, {.avif = true, .alpha = true});
  EXPECT_TRUE(inspect_image(file)->has_alpha);
  EXPECT_TRUE(read_image_header(file)->has_alpha);
  EXPECT_LT(mean_difference(*read_image(file), picture), 3);
}

TEST_F(HeifImage, ATurnedOneIsUpright) {
  const gpu::RgbaImage picture = muted_picture(kTall);
  const auto file = heif(picture, {.quarter_turn = true});
  const Result<gpu::RgbaImage> back = read_image(file);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size, (gpu::Size{kTall.height, kTall.width}));
  EXPECT_EQ(read_image_header(file)->size, back->size);
  gpu::RgbaImage turned({kTall.height, kTall.width}, {});
  for (int y = 0; y < kTall.height; ++y) {
    for (int x = 0; x < kTall.width; ++x) {
      std::copy_n(picture.at(x, y), 4, turned.at(kTall.height - 1 - y, x));
    }
  }
  EXPECT_LT(mean_difference(*back, turned), 2);
}

TEST_F(HeifImage, DisplayP3IsConvertedByProfileAndByCodePoints) {
  const gpu::RgbaImage picture = muted_picture(kTall);
  const gpu::RgbaImage p3 = in_display_p3(picture);
  ASSERT_GT(mean_difference(p3, picture), 1) << "the file must hold other numbers";
  constexpr int kDisplayP3 = 12;
  EXPECT_LT(mean_difference(*read_image(heif(p3, {.icc = display_p3()})), picture), 1);
  EXPECT_LT(mean_difference(*read_image(heif(p3, {.primaries = kDisplayP3})), picture), 1);
}

TEST_F(HeifImage, HdrIsRefusedWithTheRemedy) {
  constexpr int kBt2020 = 9;
  for (const int transfer : {16, 18}) {
    const auto file =
        heif(muted_picture(kTall), {.bits = 10, .primaries = kBt2020, .transfer = transfer});
    const Result<MediaInfo> info = inspect_image(file);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.failure().kind, FailureKind::kInvalid);
    EXPECT_NE(info.failure().detail.find("export it in SDR"), std::string::npos);
  }
}

TEST_F(HeifImage, TooLargeOnesAreRefusedUndecoded) {
  const auto file = heif(muted_picture({4098, 64}), {});
  EXPECT_EQ(outcome(inspect_image(file)), FailureKind::kInvalid);
  EXPECT_EQ(outcome(read_image(file)), FailureKind::kInvalid);
}

TEST_F(HeifImage, CutAndDamagedOnesAreRefused) {
  for (const bool avif : {false, true}) {
    const std::string good = heif_file(noise_image(kTall, 3), {.avif = avif});
    for (const std::size_t part : {2U, 4U, 8U}) {
      const auto file = write("cut.heic", good.substr(0, good.size() - good.size() / part));
      EXPECT_EQ(outcome(inspect_image(file)), FailureKind::kMalformed) << avif << " " << part;
    }
  }
  EXPECT_EQ(outcome(inspect_image(write("m.heic", std::string("\0\0\0\x18"
                                                              "ftypheic\0\0\0\0mif1heic",
                                                              24)))),
            FailureKind::kMalformed);
}

TEST_F(HeifImage, AVideoIsNoImage) {
  const std::string mp4(
      "\0\0\0\x1c"
      "ftypisom\0\0\2\0isomiso2avc1mp41",
      28);
  EXPECT_EQ(image_format_of(mp4), "");
  EXPECT_EQ(outcome(inspect_image(write("a.heic", mp4))), FailureKind::kUnsupportedType);
}

}  // namespace
}  // namespace pytoon::media
