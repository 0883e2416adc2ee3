// Whatever a clip is coded as, its colours come out as BT.709 limited range.
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
        Coding{"FourFourFour", "scale=out_color_matrix=bt709,format=yuv444p", kBt709},
        Coding{"Hevc10Bt2020", "scale=out_color_matrix=bt2020,format=yuv420p10le",
               "-colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 "
               "-c:v libx265 -x265-params log-level=none:qp=4 -tag:v hvc1"}),
    name_of);

}  // namespace
}  // namespace pytoon::media
