// Whatever a clip is coded as, its colours come out as BT.709 limited range.
#include <array>
#include <cmath>
#include <fstream>

#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

struct Coding {
  const char* name;
  const char* filter;   // from RGB to what is coded
  const char* options;  // how the file calls it
};

class ClipColours : public ClipTest, public testing::WithParamInterface<Coding> {};

TEST_P(ClipColours, ComeOutAsBt709) {
  const Coding& coding = GetParam();
  const std::string encoder = std::string(coding.options).find("libx265") == std::string::npos
                                  ? " -c:v libx264 -preset ultrafast -qp 4 "
                                  : " ";
  ffmpeg("-f lavfi -i color=c=0xC85028:s=128x96:r=30:d=0.2,format=gbrp -vf " +
         std::string(coding.filter) + encoder + coding.options + " {}/clip.mp4");
  const auto played = source(path("clip.mp4"));
  const auto picture = played->frame(3);
  ASSERT_TRUE(picture) << picture.failure().detail;
  // BT.709-6 table 3 for R 200, G 80, B 40.
  const double luma = 0.2126 * 200 + 0.7152 * 80 + 0.0722 * 40;
  const std::size_t row = 40;
  EXPECT_NEAR(picture->luma[row * picture->luma_pitch_bytes + 60], 16 + luma * 219 / 255, 2);
  const std::uint8_t* const chroma = picture->chroma + row / 2 * picture->chroma_pitch_bytes + 60;
  EXPECT_NEAR(chroma[0], 128 + (40 - luma) / 1.8556 * 224 / 255, 2);
  EXPECT_NEAR(chroma[1], 128 + (200 - luma) / 1.5748 * 224 / 255, 2);
}

std::string name_of(const testing::TestParamInfo<Coding>& info) { return info.param.name; }

constexpr const char* kBt709 = "-colorspace bt709 -color_primaries bt709 -color_trc bt709";
constexpr const char* kBt601 =
    "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m";

INSTANTIATE_TEST_SUITE_P(
    All, ClipColours,
    testing::Values(
        Coding{"Usual", "scale=out_color_matrix=bt709,format=yuv420p", kBt709},
        Coding{"Bt601", "scale=out_color_matrix=bt601,format=yuv420p", kBt601},
        Coding{"UnsaidAndSmall", "scale=out_color_matrix=bt601,format=yuv420p", ""},
        Coding{"UnsaidAndLarge", "scale=1280:96:out_color_matrix=bt709,format=yuv420p", ""},
        Coding{"FullRange", "scale=out_color_matrix=bt709:out_range=full,format=yuvj420p",
               "-colorspace bt709 -color_range pc"},
        Coding{"FullRangeBt601", "scale=out_color_matrix=bt601:out_range=full,format=yuvj420p",
               "-colorspace smpte170m -color_range pc"},
        Coding{"TenBit", "scale=out_color_matrix=bt709,format=yuv420p10le", kBt709},
        Coding{"FourTwoTwo", "scale=out_color_matrix=bt709,format=yuv422p", kBt709},
        Coding{"FourTwoTwoTenBit601", "scale=out_color_matrix=bt601,format=yuv422p10le", kBt601},
        Coding{"FourFourFour", "scale=out_color_matrix=bt709,format=yuv444p", kBt709}),
    name_of);

using Rgb = std::array<int, 3>;

constexpr std::array<Rgb, 8> kChart{{{255, 255, 255},
                                     {16, 16, 16},
                                     {128, 128, 128},
                                     {220, 30, 40},
                                     {30, 120, 60},
                                     {20, 60, 170},
                                     {230, 170, 140},
                                     {240, 200, 40}}};
constexpr int kPatchPx = 64;

struct WideCoding {
  const char* name;
  const char* filter;   // from full-range BT.709 RGB to what is coded
  const char* options;  // how the file calls it
  int tolerance;        // in 8-bit RGB
  const char* file = "clip.mov";
  const char* encoder = "-c:v libx265 -x265-params log-level=none:qp=4 -tag:v hvc1 ";
};

class WideColours : public ClipTest, public testing::WithParamInterface<WideCoding> {};

Rgb patch_of(const gpu::RgbaImage& picture, int patch) {
  const std::uint8_t* const at = picture.at(patch * kPatchPx + kPatchPx / 2, kPatchPx / 2);
  return {at[0], at[1], at[2]};
}

// The chart was in BT.709 before an independent tool coded it: it has to come back.
TEST_P(WideColours, ComeBackAsTheyWere) {
  const WideCoding& coding = GetParam();
  {
    std::ofstream raw(path("chart.raw"), std::ios::binary);
    for (int row = 0; row < 4 * kPatchPx; ++row) {
      for (const Rgb& colour : kChart) {
        for (int x = 0; x < kPatchPx; ++x) {
          for (const int value : colour) raw.put(static_cast<char>(value));
        }
      }
    }
  }
  ffmpeg(
      "-f rawvideo -pix_fmt rgb24 -s 512x64 -r 30 -i {}/chart.raw -vf "
      "format=gbrp,zscale=min=gbr:rin=full:pin=bt709:tin=bt709:" +
      std::string(coding.filter) + " " + coding.encoder + coding.options + " {}/" + coding.file);
  const auto facts = inspect_clip(path(coding.file));
  ASSERT_TRUE(facts) << facts.failure().detail;
  const auto shown = first_frame(index(path(coding.file)));
  ASSERT_TRUE(shown) << shown.failure().detail;
  for (std::size_t i = 0; i < kChart.size(); ++i) {
    const Rgb seen = patch_of(*shown, static_cast<int>(i));
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(seen[c], kChart[i][c], coding.tolerance) << "patch " << i << " channel " << c;
    }
  }
}

std::string wide_name_of(const testing::TestParamInfo<WideCoding>& info) { return info.param.name; }

constexpr const char* kVp9Lossless = "-c:v libvpx-vp9 -lossless 1 -cpu-used 8 -deadline realtime ";
constexpr const char* kAv1Fine = "-c:v libaom-av1 -crf 2 -cpu-used 8 ";
constexpr const char* kProresHq = "-c:v prores_ks -profile:v hq -qscale:v 1 ";
constexpr const char* kProres4444Fine = "-c:v prores_ks -profile:v 4444 -qscale:v 1 ";

constexpr const char* kP3 = "-colorspace bt709 -color_primaries smpte432 -color_trc bt709";
constexpr const char* kHlg =
    "-colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 -color_range tv";

INSTANTIATE_TEST_SUITE_P(
    All, WideColours,
    testing::Values(
        WideCoding{"DisplayP3", "p=smpte432:t=bt709:m=bt709:r=tv,format=yuv420p10le", kP3, 2},
        WideCoding{"DisplayP3FullRange", "p=smpte432:t=bt709:m=bt709:r=full,format=yuv420p10le",
                   "-colorspace bt709 -color_primaries smpte432 -color_trc bt709 -color_range pc",
                   2},
        WideCoding{"DisplayP3InBt601", "p=smpte432:t=bt709:m=smpte170m:r=tv,format=yuv444p10le",
                   "-colorspace smpte170m -color_primaries smpte432 -color_trc bt709", 2},
        WideCoding{"Bt2020Sdr", "p=bt2020:t=bt709:m=bt2020nc:r=tv,format=yuv420p10le",
                   "-colorspace bt2020nc -color_primaries bt2020 -color_trc bt2020-10", 2},
        WideCoding{"Hlg", "npl=203:p=bt2020:t=arib-std-b67:m=bt2020nc:r=tv,format=yuv420p10le",
                   kHlg, 4},
        WideCoding{"HlgFourTwoTwo",
                   "npl=203:p=bt2020:t=arib-std-b67:m=bt2020nc:r=tv,format=yuv422p10le", kHlg, 4},
        WideCoding{"Pq", "npl=203:p=bt2020:t=smpte2084:m=bt2020nc:r=tv,format=yuv420p10le",
                   "-colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084", 4},
        WideCoding{"Sd", "p=bt709:t=bt709:m=smpte170m:r=tv,format=yuv420p", kBt601, 2},
        WideCoding{"SdFullRange", "p=bt709:t=bt709:m=smpte170m:r=full,format=yuvj420p",
                   "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m "
                   "-color_range pc",
                   2},
        WideCoding{"DciP3", "p=smpte431:t=bt709:m=bt709:r=tv,format=yuv420p10le",
                   "-colorspace bt709 -color_primaries smpte431 -color_trc bt709", 2},
        WideCoding{"DisplayP3Srgb",
                   "tin=iec61966-2-1:p=smpte432:t=iec61966-2-1:m=bt709:r=tv,format=yuv444p10le",
                   "-colorspace bt709 -color_primaries smpte432 -color_trc iec61966-2-1", 2},
        WideCoding{"PqFullRange",
                   "npl=203:p=bt2020:t=smpte2084:m=bt2020nc:r=full,format=yuv444p10le",
                   "-colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084 "
                   "-color_range pc",
                   4},
        WideCoding{"WebmVp9", "p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p", kBt709, 2, "a.webm",
                   kVp9Lossless},
        WideCoding{"WebmVp9FullRange", "p=bt709:t=bt709:m=bt709:r=full,format=yuv420p",
                   "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range pc", 2,
                   "a.webm", kVp9Lossless},
        WideCoding{"WebmVp9Unsaid", "p=bt709:t=bt709:m=smpte170m:r=tv,format=yuv420p", "", 2,
                   "a.webm", kVp9Lossless},
        WideCoding{"WebmVp9P3", "p=smpte432:t=bt709:m=bt709:r=tv,format=yuv420p10le", kP3, 2,
                   "a.webm", kVp9Lossless},
        WideCoding{"WebmAv1Hlg",
                   "npl=203:p=bt2020:t=arib-std-b67:m=bt2020nc:r=tv,format=yuv420p10le", kHlg, 4,
                   "a.webm", kAv1Fine},
        WideCoding{"ProRes422", "p=bt709:t=bt709:m=bt709:r=tv,format=yuv422p10le", kBt709, 2,
                   "a.mov", kProresHq},
        WideCoding{"ProRes422P3", "p=smpte432:t=bt709:m=bt709:r=tv,format=yuv422p10le", kP3, 2,
                   "a.mov", kProresHq},
        WideCoding{"ProRes4444Alpha", "p=bt709:t=bt709:m=bt709:r=tv,format=yuva444p10le", kBt709, 2,
                   "a.mov", kProres4444Fine},
        WideCoding{"ProRes4444AlphaP3", "p=smpte432:t=bt709:m=bt709:r=tv,format=yuva444p10le", kP3,
                   2, "a.mov", kProres4444Fine},
        WideCoding{"ProRes4444AlphaHlg",
                   "npl=203:p=bt2020:t=arib-std-b67:m=bt2020nc:r=tv,format=yuva444p10le", kHlg, 4,
                   "a.mov", kProres4444Fine}),
    wide_name_of);

// What is brighter than white is not lost all at once, and never darker than white.
TEST_F(ClipTest, HighlightsOfHdrStayAboveWhite) {
  ffmpeg(
      "-f lavfi -i color=c=0x808080:s=64x64:r=30:d=0.1,format=gbrp -vf "
      "zscale=min=gbr:rin=full:pin=bt709:tin=linear:npl=1000:p=bt2020:t=arib-std-b67:m=bt2020nc:"
      "r=tv,format=yuv420p10le -c:v libx265 -x265-params log-level=none:qp=4 -tag:v hvc1 " +
      std::string(kHlg) + " {}/clip.mov");
  const auto shown = first_frame(index(path("clip.mov")));
  ASSERT_TRUE(shown) << shown.failure().detail;
  EXPECT_GE(shown->at(32, 32)[0], 252);
}

// A phone's clip is turned and has odd edges as well.
TEST_F(ClipTest, WideColoursOfATurnedClipOfOddSize) {
  ffmpeg(
      "-f lavfi -i color=c=0x4060A0:s=99x65:r=30:d=0.2,format=gbrp -vf "
      "zscale=min=gbr:rin=full:pin=bt709:tin=bt709:p=smpte432:t=bt709:m=bt709:r=tv,"
      "format=yuv444p -c:v libx264 -qp 4 " +
      std::string(kP3) + " {}/flat.mov");
  ffmpeg("-i {}/flat.mov -c copy -metadata:s:v rotate=90 {}/clip.mov");
  const auto shown = first_frame(index(path("clip.mov")));
  ASSERT_TRUE(shown) << shown.failure().detail;
  EXPECT_NEAR(shown->at(20, 40)[0], 0x40, 2);
  EXPECT_NEAR(shown->at(20, 40)[2], 0xA0, 2);
}

}  // namespace
}  // namespace pytoon::media
