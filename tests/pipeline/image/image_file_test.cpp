#include "pipeline/media/image/image_file.h"

#include <algorithm>
#include <array>

#include "base/files.h"
#include "tests/pipeline/image/odd_images.h"

namespace pytoon::media {
namespace {

constexpr gpu::Size kSize{48, 32};

class ImageFile : public ImageTest {};

int save_sharp_jpeg(VipsImage* image, const char* name) {
  return vips_jpegsave(image, name, "Q", 100, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF,
                       nullptr);
}

struct Point {
  int x;
  int y;
};

// Where the upright image's (x, y) is stored under an EXIF orientation; w and h are stored ones.
// Source: EXIF 2.3, tag 0x0112.
Point stored_at(int orientation, Point p, int w, int h) {
  switch (orientation) {
    case 2:
      return {w - 1 - p.x, p.y};
    case 3:
      return {w - 1 - p.x, h - 1 - p.y};
    case 4:
      return {p.x, h - 1 - p.y};
    case 5:
      return {p.y, p.x};
    case 6:
      return {p.y, h - 1 - p.x};
    case 7:
      return {w - 1 - p.y, h - 1 - p.x};
    case 8:
      return {w - 1 - p.y, p.x};
    default:
      return p;
  }
}

gpu::RgbaImage as_stored(const gpu::RgbaImage& upright, int orientation) {
  const bool turned = orientation >= 5;
  gpu::RgbaImage stored({turned ? upright.size.height : upright.size.width,
                         turned ? upright.size.width : upright.size.height});
  for (int y = 0; y < upright.size.height; ++y) {
    for (int x = 0; x < upright.size.width; ++x) {
      const Point p = stored_at(orientation, {x, y}, stored.size.width, stored.size.height);
      std::copy_n(upright.at(x, y), 4, stored.at(p.x, p.y));
    }
  }
  return stored;
}

}  // namespace

TEST_F(ImageFile, KnowsFormatsByTheirBytes) {
  EXPECT_EQ(image_format_of(std::string("\x89PNG\r\n\x1A\n....", 12)), "png");
  EXPECT_EQ(image_format_of("\xFF\xD8\xFF\xE0"), "jpeg");
  EXPECT_EQ(image_format_of("RIFF....WEBPVP8 "), "webp");
  EXPECT_EQ(image_format_of("RIFF....WAVEfmt "), "");
  EXPECT_EQ(image_format_of("RIFF....WEB"), "");
  EXPECT_EQ(image_format_of("<svg xmlns"), "");
  EXPECT_EQ(image_format_of(""), "");
}

TEST_F(ImageFile, PngRoundTripKeepsEveryPixel) {
  const gpu::RgbaImage picture = noise_image(kSize, 1);
  ASSERT_TRUE(write_png(picture, path("a.png")));
  const Result<gpu::RgbaImage> back = read_image(path("a.png"));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->pixels, picture.pixels);
}

TEST_F(ImageFile, WritingTwiceGivesTheSameBytes) {
  const gpu::RgbaImage picture = fading_image(kSize);
  ASSERT_TRUE(write_png(picture, path("a.png")));
  ASSERT_TRUE(write_png(picture, path("b.png")));
  ASSERT_TRUE(write_jpeg(picture, path("a.jpg")));
  ASSERT_TRUE(write_jpeg(picture, path("b.jpg")));
  EXPECT_EQ(*read_file(path("a.png")), *read_file(path("b.png")));
  EXPECT_EQ(*read_file(path("a.jpg")), *read_file(path("b.jpg")));
}

TEST_F(ImageFile, WritingIntoAMissingFolderFails) {
  EXPECT_FALSE(write_png(muted_picture(kSize), path("none") / "a.png"));
  EXPECT_FALSE(write_jpeg(muted_picture(kSize), path("none") / "a.jpg"));
}

TEST_F(ImageFile, TheHeadTellsWhatInspectingDoes) {
  const gpu::RgbaImage picture = muted_picture(kSize);
  ASSERT_TRUE(write_png(picture, path("a.png")));
  ASSERT_TRUE(write_jpeg(picture, path("a.jpg")));
  for (const char* name : {"a.png", "a.jpg"}) {
    const Result<MediaInfo> head = read_image_header(path(name));
    const Result<MediaInfo> whole = inspect_image(path(name));
    ASSERT_TRUE(head && whole) << name;
    EXPECT_EQ(head->format, whole->format);
    EXPECT_EQ(head->size, whole->size);
    EXPECT_EQ(head->has_alpha, whole->has_alpha);
  }
  ASSERT_TRUE(write_file_atomically(path("a.ppm"), "P6 1 1 255\nabc"));
  EXPECT_FALSE(read_image_header(path("a.ppm")));
  EXPECT_FALSE(read_image_header(path("none.png")));
}

TEST_F(ImageFile, EveryOrientationComesOutUpright) {
  const gpu::RgbaImage upright = muted_picture(kSize);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const auto file = save(
        as_stored(upright, orientation), "turned.jpg", [&](VipsImage* image, const char* name) {
          const VipsImagePtr tagged = convert(
              image, [](VipsImage* in, VipsImage** out) { return vips_copy(in, out, nullptr); });
          vips_image_set_int(tagged.get(), VIPS_META_ORIENTATION, orientation);
          return save_sharp_jpeg(without_alpha(tagged.get()).get(), name);
        });
    const Result<gpu::RgbaImage> back = read_image(file);
    ASSERT_TRUE(back) << orientation;
    ASSERT_EQ(back->size, kSize) << orientation;
    EXPECT_LE(max_difference(*back, upright), 3) << orientation;
    EXPECT_EQ(inspect_image(file)->size, kSize) << orientation;
    EXPECT_EQ(read_image_header(file)->size, kSize) << orientation;
  }
}

TEST_F(ImageFile, GreyAndGreyWithAlpha) {
  gpu::RgbaImage grey = fading_image(kSize);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 4) {
    grey.pixels[i + 1] = grey.pixels[i + 2] = grey.pixels[i];
  }
  for (const bool alpha : {false, true}) {
    const auto file = save(grey, "grey.png", [&](VipsImage* image, const char* name) {
      const VipsImagePtr luma = convert(image, [](VipsImage* in, VipsImage** out) {
        return vips_extract_band(in, out, 0, nullptr);
      });
      const VipsImagePtr fade = convert(image, [](VipsImage* in, VipsImage** out) {
        return vips_extract_band(in, out, 3, nullptr);
      });
      VipsImage* parts[] = {luma.get(), fade.get()};
      VipsImage* joined = nullptr;
      if (vips_bandjoin(parts, &joined, alpha ? 2 : 1, nullptr) != 0) return -1;
      const VipsImagePtr owner(joined);
      const VipsImagePtr typed = convert(joined, [](VipsImage* in, VipsImage** out) {
        return vips_copy(in, out, "interpretation", VIPS_INTERPRETATION_B_W, nullptr);
      });
      return vips_pngsave(typed.get(), name, nullptr);
    });
    gpu::RgbaImage want = grey;
    if (!alpha) {
      for (std::size_t i = 3; i < want.pixels.size(); i += 4) want.pixels[i] = 255;
    }
    EXPECT_EQ(read_image(file)->pixels, want.pixels);
    EXPECT_EQ(inspect_image(file)->has_alpha, alpha);
  }
}

TEST_F(ImageFile, SixteenBitsBecomeEight) {
  const gpu::RgbaImage picture = fading_image(kSize);
  const auto file = save(picture, "deep.png", [](VipsImage* image, const char* name) {
    const VipsImagePtr deep = convert(image, [](VipsImage* in, VipsImage** out) {
      return vips_linear1(in, out, 257, 0, nullptr);
    });
    const VipsImagePtr shorts = convert(deep.get(), [](VipsImage* in, VipsImage** out) {
      return vips_cast(in, out, VIPS_FORMAT_USHORT, nullptr);
    });
    const VipsImagePtr typed = convert(shorts.get(), [](VipsImage* in, VipsImage** out) {
      return vips_copy(in, out, "interpretation", VIPS_INTERPRETATION_RGB16, nullptr);
    });
    return vips_pngsave(typed.get(), name, nullptr);
  });
  EXPECT_EQ(read_image(file)->pixels, picture.pixels);
}

TEST_F(ImageFile, PaletteWithTransparency) {
  gpu::RgbaImage picture(kSize, {200, 40, 40, 255});
  for (int y = 0; y < kSize.height; ++y) {
    for (int x = 0; x < kSize.width / 2; ++x) {
      const std::array<std::uint8_t, 4> clear{40, 200, 40, 100};
      std::copy(clear.begin(), clear.end(), picture.at(x, y));
    }
  }
  const auto file = save(picture, "palette.png", [](VipsImage* image, const char* name) {
    return vips_pngsave(image, name, "palette", TRUE, "bitdepth", 2, nullptr);
  });
  const std::string bytes = *read_file(file);
  ASSERT_NE(bytes.find("PLTE"), std::string::npos);
  ASSERT_NE(bytes.find("tRNS"), std::string::npos);
  EXPECT_LE(max_difference(*read_image(file), picture), 4);
  EXPECT_TRUE(inspect_image(file)->has_alpha);
}

TEST_F(ImageFile, CmykWithItsProfileAndWithout) {
  const gpu::RgbaImage picture = muted_picture(kSize);
  for (const bool bare : {false, true}) {
    const auto file = save(picture, "cmyk.jpg", [&](VipsImage* image, const char* name) {
      const VipsImagePtr ink =
          convert(without_alpha(image).get(), [](VipsImage* in, VipsImage** out) {
            return vips_icc_transform(in, out, "cmyk", "input_profile", "srgb", nullptr);
          });
      return vips_jpegsave(ink.get(), name, "Q", 100, "strip", bare ? TRUE : FALSE, nullptr);
    });
    const Result<gpu::RgbaImage> back = read_image(file);
    ASSERT_TRUE(back);
    EXPECT_LT(mean_difference(*back, picture), 4) << (bare ? "generic" : "embedded");
  }
}

TEST_F(ImageFile, DisplayP3IsConvertedToSrgb) {
  const gpu::RgbaImage picture = muted_picture(kSize);
  const auto file = save(picture, "p3.png", [](VipsImage* image, const char* name) {
    const VipsImagePtr p3 = convert(without_alpha(image).get(), [](VipsImage* in, VipsImage** out) {
      return vips_icc_transform(in, out, "p3", "input_profile", "srgb", nullptr);
    });
    return vips_pngsave(p3.get(), name, nullptr);
  });
  const VipsImagePtr stored(vips_image_new_from_file(file.c_str(), nullptr));
  const VipsImagePtr opaque = convert(
      stored.get(), [](VipsImage* in, VipsImage** out) { return vips_addalpha(in, out, nullptr); });
  const gpu::RgbaImage raw = *take_pixels(opaque.get(), FailureKind::kMedia, "raw");
  ASSERT_GT(mean_difference(raw, picture), 1) << "the file must hold other numbers";
  EXPECT_LT(mean_difference(*read_image(file), picture), 0.5);
}

TEST_F(ImageFile, ABrokenProfileIsIgnored) {
  const gpu::RgbaImage picture = muted_picture(kSize);
  const auto file = save(picture, "profile.png", [](VipsImage* image, const char* name) {
    const VipsImagePtr tagged =
        convert(image, [](VipsImage* in, VipsImage** out) { return vips_copy(in, out, nullptr); });
    static const char kNoProfile[] = "this is not an ICC profile, whatever the chunk says";
    vips_image_set_blob_copy(tagged.get(), VIPS_META_ICC_NAME, kNoProfile, sizeof kNoProfile);
    return vips_pngsave(tagged.get(), name, nullptr);
  });
  const Result<gpu::RgbaImage> back = read_image(file);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->pixels, picture.pixels);
}

TEST_F(ImageFile, WebpWithAlpha) {
  const gpu::RgbaImage picture = fading_image(kSize);
  const auto file = save(picture, "a.webp", [](VipsImage* image, const char* name) {
    return vips_webpsave(image, name, "lossless", TRUE, nullptr);
  });
  EXPECT_LE(max_difference(*read_image(file), picture), 1);
  const Result<MediaInfo> facts = inspect_image(file);
  EXPECT_EQ(facts->format, "webp");
  EXPECT_TRUE(facts->has_alpha);
}

TEST_F(ImageFile, AnAnimationGivesItsFirstFrame) {
  gpu::RgbaImage frames({kSize.width, kSize.height * 3}, {0, 0, 200, 255});
  const gpu::RgbaImage first = muted_picture(kSize);
  std::copy(first.pixels.begin(), first.pixels.end(), frames.pixels.begin());
  const auto file = save(frames, "moving.webp", [](VipsImage* image, const char* name) {
    const VipsImagePtr tagged =
        convert(image, [](VipsImage* in, VipsImage** out) { return vips_copy(in, out, nullptr); });
    vips_image_set_int(tagged.get(), VIPS_META_PAGE_HEIGHT, kSize.height);
    return vips_webpsave(tagged.get(), name, "lossless", TRUE, nullptr);
  });
  ASSERT_NE(read_file(file)->find("ANIM"), std::string::npos);
  const Result<gpu::RgbaImage> back = read_image(file);
  ASSERT_EQ(back->size, kSize);
  EXPECT_LE(max_difference(*back, first), 1);
}

TEST_F(ImageFile, SmallestAndLongestImages) {
  for (const gpu::Size size : {gpu::Size{1, 1}, gpu::Size{4096, 1}, gpu::Size{1, 4096}}) {
    const gpu::RgbaImage picture = noise_image(size, 2);
    ASSERT_TRUE(write_png(picture, path("edge.png")));
    EXPECT_EQ(read_image(path("edge.png"))->pixels, picture.pixels);
    ASSERT_TRUE(write_jpeg(picture, path("edge.jpg")));
    EXPECT_EQ(inspect_image(path("edge.jpg"))->size, size);
  }
}

TEST_F(ImageFile, JpegIsCloseToTheImage) {
  const gpu::RgbaImage picture = muted_picture(kSize);
  ASSERT_TRUE(write_jpeg(picture, path("a.jpg")));
  EXPECT_LT(mean_difference(*read_image(path("a.jpg")), picture), 2);
}

}  // namespace pytoon::media
