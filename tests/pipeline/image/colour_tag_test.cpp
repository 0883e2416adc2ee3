// Images that say by chunks or code points what their numbers mean come out as sRGB.
#include "pipeline/media/image/colour_tag.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "base/files.h"
#include "pipeline/media/image/image_file.h"
#include "tests/pipeline/image/heif_file.h"
#include "tests/pipeline/image/odd_images.h"

namespace pytoon::media {
namespace {

using Rgb = std::array<double, 3>;

constexpr int kPatchPx = 8;
constexpr std::array<Rgb, 10> kChart{{{255, 255, 255},
                                      {0, 0, 0},
                                      {16, 16, 16},
                                      {128, 128, 128},
                                      {220, 30, 40},
                                      {30, 120, 60},
                                      {20, 60, 170},
                                      {230, 170, 140},
                                      {240, 200, 40},
                                      {200, 210, 220}}};

// IEC 61966-2-1, both ways, of 0..1.
double light_of(double code) {
  return code <= 0.04045 ? code / 12.92 : std::pow((code + 0.055) / 1.055, 2.4);
}
double code_of(double light) {
  return light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

// From sRGB's linear light to that of other primaries of the same white, as published (CSS Color 4
// section 18; ITU-R BT.2087-0 table 4).
using Matrix = std::array<std::array<double, 3>, 3>;
constexpr Matrix kSame{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Matrix kToDisplayP3{
    {{0.8224620, 0.1775380, 0}, {0.0331942, 0.9668058, 0}, {0.0170826, 0.0723974, 0.9105199}}};
constexpr Matrix kToBt2020{
    {{0.6274, 0.3293, 0.0433}, {0.0691, 0.9195, 0.0114}, {0.0164, 0.0880, 0.8956}}};

// The numbers of the chart in another space: gamma 0 is sRGB's curve.
Rgb coded(const Rgb& colour, const Matrix& matrix, double gamma) {
  Rgb out{};
  for (std::size_t row = 0; row < 3; ++row) {
    double light = 0;
    for (std::size_t i = 0; i < 3; ++i) light += matrix[row][i] * light_of(colour[i] / 255);
    light = std::clamp(light, 0.0, 1.0);
    out[row] = 255 * (gamma == 0 ? code_of(light) : std::pow(light, 1 / gamma));
  }
  return out;
}

gpu::RgbaImage chart(const Matrix& matrix = kSame, double gamma = 0) {
  gpu::RgbaImage image({kPatchPx * static_cast<int>(kChart.size()), kPatchPx});
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      const Rgb colour = coded(kChart[static_cast<std::size_t>(x / kPatchPx)], matrix, gamma);
      for (std::size_t c = 0; c < 3; ++c) {
        image.at(x, y)[c] = static_cast<std::uint8_t>(std::lround(colour[c]));
      }
      image.at(x, y)[3] = 255;
    }
  }
  return image;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255U);
  return bytes;
}

std::uint32_t crc_of(const std::string& bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

std::string chunk(const std::string& type, const std::string& content) {
  return big_endian(static_cast<std::uint32_t>(content.size())) + type + content +
         big_endian(crc_of(type + content));
}

std::string gamma_chunk(std::uint32_t exponent) { return chunk("gAMA", big_endian(exponent)); }

std::string primaries_chunk(const std::array<std::uint32_t, 8>& white_red_green_blue) {
  std::string content;
  for (const std::uint32_t number : white_red_green_blue) content += big_endian(number);
  return chunk("cHRM", content);
}

constexpr std::array<std::uint32_t, 8> kSrgbPoints{31270, 32900, 64000, 33000,
                                                   30000, 60000, 15000, 6000};
constexpr std::array<std::uint32_t, 8> kP3Points{31270, 32900, 68000, 32000,
                                                 26500, 69000, 15000, 6000};

class ColourTags : public ImageTest {
 protected:
  // With chunks behind IHDR.
  std::filesystem::path png_with(const std::filesystem::path& png, const std::string& chunks) {
    constexpr std::size_t kBehindHead = 33;
    std::string bytes = *read_file(png);
    bytes.insert(kBehindHead, chunks);
    return write("tagged.png", bytes);
  }
  std::filesystem::path png_of(const gpu::RgbaImage& image, const std::string& chunks) {
    EXPECT_TRUE(write_png(image, path("plain.png")));
    return png_with(path("plain.png"), chunks);
  }
  static void expect_chart(const std::filesystem::path& file, double within = 2) {
    const auto seen = read_image(file);
    ASSERT_TRUE(seen) << seen.failure().detail;
    for (std::size_t i = 0; i < kChart.size(); ++i) {
      const int x = static_cast<int>(i) * kPatchPx + kPatchPx / 2;
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(seen->at(x, kPatchPx / 2)[c], kChart[i][c], within) << i << " channel " << c;
      }
    }
  }
};

// Of 8 bits, numbers near black are too coarse to come back within two codes where light is coded
// as it is, so that chart is coded in 16.
TEST_F(ColourTags, APngsGammaIsHeeded) {
  for (const std::uint32_t exponent : {55556U, 38462U, 71429U, 35714U}) {
    const double gamma = 100'000.0 / exponent;
    const bool fine = gamma > 1.9;
    expect_chart(png_of(chart(kSame, gamma), gamma_chunk(exponent)), fine ? 2 : 4);
  }
}

TEST_F(ColourTags, LinearLightOf16BitsIsHeeded) {
  const gpu::RgbaImage shape = chart();
  std::vector<std::uint16_t> deep;
  for (int y = 0; y < shape.size.height; ++y) {
    for (int x = 0; x < shape.size.width; ++x) {
      const Rgb colour = coded(kChart[static_cast<std::size_t>(x / kPatchPx)], kSame, 1);
      for (const double value : colour) {
        deep.push_back(static_cast<std::uint16_t>(std::lround(value * 257)));
      }
    }
  }
  VipsImage* raw = vips_image_new_from_memory(deep.data(), deep.size() * 2, shape.size.width,
                                              shape.size.height, 3, VIPS_FORMAT_USHORT);
  const VipsImagePtr image(raw);
  const VipsImagePtr typed = convert(image.get(), [](VipsImage* in, VipsImage** out) {
    return vips_copy(in, out, "interpretation", VIPS_INTERPRETATION_RGB16, nullptr);
  });
  ASSERT_EQ(vips_pngsave(typed.get(), path("deep.png").c_str(), nullptr), 0);
  expect_chart(png_with(path("deep.png"), gamma_chunk(100'000)), 1);
}

TEST_F(ColourTags, TheUsualGammaMeansSrgbAndSoDoesAnSrgbChunk) {
  const gpu::RgbaImage plain = chart();
  const std::string srgb = chunk("sRGB", std::string(1, '\0'));
  for (const std::string& chunks :
       {gamma_chunk(45455), gamma_chunk(45450), gamma_chunk(45455) + primaries_chunk(kSrgbPoints),
        srgb + gamma_chunk(100'000), srgb + primaries_chunk(kP3Points),
        // What makes no sense says nothing.
        gamma_chunk(0), gamma_chunk(4'000'000'000U), chunk("gAMA", "xx"),
        primaries_chunk({0, 0, 0, 0, 0, 0, 0, 0}),
        primaries_chunk({31270, 32900, 64000, 33000, 64000, 33000, 64000, 33000}),
        primaries_chunk({90000, 5000, 64000, 33000, 30000, 60000, 15000, 6000})}) {
    EXPECT_EQ(read_image(png_of(plain, chunks))->pixels, plain.pixels);
  }
}

TEST_F(ColourTags, APngsPrimariesAreHeeded) {
  expect_chart(png_of(chart(kToDisplayP3), primaries_chunk(kP3Points)));
  expect_chart(png_of(chart(kToDisplayP3, 1.8), gamma_chunk(55556) + primaries_chunk(kP3Points)),
               4);
  expect_chart(png_of(chart(kToDisplayP3, 2.6), gamma_chunk(38462) + primaries_chunk(kP3Points)));
}

// White stays white whatever it is called.
TEST_F(ColourTags, AnotherWhiteStaysWhite) {
  const auto seen = read_image(
      png_of(chart(), primaries_chunk({34567, 35850, 73470, 26530, 15960, 84040, 3660, 1})));
  ASSERT_TRUE(seen);
  for (const int patch : {0, 3}) {
    const std::uint8_t* const grey = seen->at(patch * kPatchPx + 4, 4);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(grey[c], patch == 0 ? 255 : 128, 1);
  }
}

TEST_F(ColourTags, APngsCodePointsAreHeeded) {
  using namespace std::string_literals;
  const std::string later = gamma_chunk(100'000);
  expect_chart(png_of(chart(kToDisplayP3), chunk("cICP", "\x0C\x0D\0\x01"s) + later));
  expect_chart(png_of(chart(kToBt2020), chunk("cICP", "\x09\x0D\0\x01"s) + later), 3);
  expect_chart(png_of(chart(), chunk("cICP", "\x01\x0D\0\x01"s) + later), 0);
  // And before a profile.
  const auto profiled = save(chart(), "p3.png", [](VipsImage* image, const char* name) {
    const VipsImagePtr p3 = convert(without_alpha(image).get(), [](VipsImage* in, VipsImage** out) {
      return vips_icc_transform(in, out, "p3", "input_profile", "srgb", nullptr);
    });
    return vips_pngsave(p3.get(), name, nullptr);
  });
  const VipsImagePtr numbers(vips_image_new_from_file(profiled.c_str(), nullptr));
  const auto as_coded = read_image(png_with(profiled, chunk("cICP", "\x01\x0D\0\x01"s)));
  ASSERT_TRUE(numbers && as_coded);
  double* red = nullptr;
  int bands = 0;
  ASSERT_EQ(vips_getpoint(numbers.get(), &red, &bands, 4 * kPatchPx + 4, 4, nullptr), 0);
  EXPECT_EQ(as_coded->at(4 * kPatchPx + 4, 4)[0], red[0]);
  EXPECT_EQ(as_coded->at(4 * kPatchPx + 4, 4)[1], red[1]);
  g_free(red);
  for (const char* transfer : {"\x10", "\x12"}) {
    const auto seen = inspect_image(png_of(chart(), chunk("cICP", "\x09"s + transfer + "\0\x01"s)));
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.failure().kind, FailureKind::kInvalid);
    EXPECT_NE(seen.failure().detail.find("export it in SDR"), std::string::npos);
  }
}

TEST_F(ColourTags, HeifsCodePointsAreHeeded) {
  for (const bool avif : {false, true}) {
    const auto back = [&](const Matrix& matrix, int primaries) {
      const auto file =
          write("a.heif", heif_file(chart(matrix), {.avif = avif, .primaries = primaries}));
      return mean_difference(*read_image(file), chart());
    };
    EXPECT_LT(back(kToBt2020, 9), 2.5) << avif;
    EXPECT_LT(back(kToDisplayP3, 12), 2.5) << avif;
    EXPECT_LT(back(kSame, 1), 2.5) << avif;
  }
}

TEST_F(ColourTags, GreyAndAlphaAndPalettesHaveTheirGamma) {
  gpu::RgbaImage grey({64, 8}, {0, 0, 0, 255});
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 64; ++x) {
      const auto value = static_cast<std::uint8_t>(16 + 3 * x);
      std::fill_n(grey.at(x, y), 3, value);
      grey.at(x, y)[3] = static_cast<std::uint8_t>(255 - x);
    }
  }
  const auto expect_grey = [&](const std::filesystem::path& file, bool alpha) {
    const auto seen = read_image(png_with(file, gamma_chunk(55556)));
    ASSERT_TRUE(seen);
    for (const int x : {0, 20, 63}) {
      const double shown = 255 * code_of(std::pow(grey.at(x, 4)[0] / 255.0, 1.8));
      for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(seen->at(x, 4)[c], shown, 1);
      EXPECT_EQ(seen->at(x, 4)[3], alpha ? 255 - x : 255);
    }
  };
  ASSERT_TRUE(write_png(grey, path("alpha.png")));
  expect_grey(path("alpha.png"), true);
  expect_grey(
      save(grey, "grey.png",
           [](VipsImage* image, const char* name) {
             const VipsImagePtr luma = convert(image, [](VipsImage* in, VipsImage** out) {
               return vips_extract_band(in, out, 0, nullptr);
             });
             const VipsImagePtr typed = convert(luma.get(), [](VipsImage* in, VipsImage** out) {
               return vips_copy(in, out, "interpretation", VIPS_INTERPRETATION_B_W, nullptr);
             });
             return vips_pngsave(typed.get(), name, nullptr);
           }),
      false);
  expect_grey(save(grey, "palette.png",
                   [](VipsImage* image, const char* name) {
                     return vips_pngsave(without_alpha(image).get(), name, "palette", TRUE, "Q",
                                         100, nullptr);
                   }),
              false);
}

// An independent tool's: FFmpeg writes gAMA and cHRM of what its frames are tagged with.
TEST_F(ColourTags, WhatFfmpegWritesComesBack) {
  ASSERT_TRUE(write_png(chart(), path("chart.png")));
  for (const char* primaries : {"bt709", "bt2020"}) {
    const std::string to = std::string(":p=") + primaries + ":t=bt470bg";
    const std::string tags = std::string(" -color_primaries ") + primaries + " -color_trc gamma28";
    const std::string command =
        "ffmpeg -nostdin -v error -y -i " + path("chart.png").string() +
        " -vf format=gbrp,zscale=min=gbr:rin=full:pin=bt709:tin=iec61966-2-1" + to +
        ":m=gbr:r=full,format=gbrp16,format=rgb48be" + tags + " " + path("out.png").string();
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    const std::string bytes = *read_file(path("out.png"));
    ASSERT_NE(bytes.find("gAMA"), std::string::npos) << tags;
    expect_chart(path("out.png"));
  }
}

}  // namespace
}  // namespace pytoon::media
