// Clips through which the ground shows: ProRes 4444, WebM with alpha, animations.
#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"
#include "tests/support/source_dir.h"

namespace pytoon::media {
namespace {

struct CutoutKind {
  const char* name;
  const char* file;
  const char* options;
  int tolerance;
};

class CutoutClip : public ClipTest, public testing::WithParamInterface<CutoutKind> {};

// Left half (220, 30, 40), right half seen through.
constexpr const char* kHalves =
    "-f lavfi -i \"color=c=0xDC1E28:s=64x48:r=10:d=0.5,format=rgba,"
    "geq=r='r(X,Y)':g='g(X,Y)':b='if(gt(Y,40),N*40,b(X,Y))':a='if(lt(X,32),255,0)'\" -vf ";

TEST_P(CutoutClip, KeepsItsAlphaAndItsColour) {
  const CutoutKind& kind = GetParam();
  ffmpeg(std::string(kHalves) + kind.options + " {}/" + kind.file);
  const auto facts = inspect_clip(path(kind.file));
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_TRUE(facts->has_alpha);
  const auto played = source(path(kind.file));
  for (const std::size_t frame : {0, 4, 1}) {
    const auto image = played->cutout(frame);
    ASSERT_TRUE(image) << image.failure().detail;
    ASSERT_EQ(image->size, (gpu::Size{64, 48}));
    const std::uint8_t* const red = image->at(10, 20);
    EXPECT_NEAR(red[0], 220, kind.tolerance);
    EXPECT_NEAR(red[1], 30, kind.tolerance);
    EXPECT_NEAR(red[2], 40, kind.tolerance);
    EXPECT_NEAR(red[3], 255, 1);
    EXPECT_NEAR(image->at(54, 20)[3], 0, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CutoutClip,
    testing::Values(
        CutoutKind{
            "ProRes4444", "a.mov",
            "scale=out_color_matrix=bt709,format=yuva444p10le -c:v prores_ks -profile:v 4444 "
            "-colorspace bt709 -color_primaries bt709 -color_trc bt709",
            2},
        CutoutKind{
            "ProRes4444Unsaid", "b.mov",
            "scale=out_color_matrix=bt601,format=yuva444p10le -c:v prores_ks -profile:v 4444 "
            "-alpha_bits 8",
            2},
        CutoutKind{"WebmVp9", "a.webm",
                   "scale=out_color_matrix=bt709,format=yuva420p -c:v libvpx-vp9 -crf 4 -b:v 0 "
                   "-cpu-used 8 -deadline realtime -auto-alt-ref 0 -colorspace bt709",
                   4},
        CutoutKind{"WebmVp8", "b.webm",
                   "scale=out_color_matrix=bt601,format=yuva420p -c:v libvpx -crf 4 -b:v 4M "
                   "-auto-alt-ref 0",
                   5},
        CutoutKind{"Apng", "a.png", "format=rgba -f apng", 0},
        CutoutKind{"WebpLossless", "a.webp", "format=bgra -c:v libwebp_anim -lossless 1", 0},
        CutoutKind{"Gif", "a.gif",
                   "'split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse'", 2}),
    [](const auto& kind) { return kind.param.name; });

// What has no alpha stays a clip that may be decoded and shadowed as any other, though its frames
// leave out what did not change.
TEST_F(ClipTest, OpaqueAnimationsHaveNoAlpha) {
  const std::pair<const char*, const char*> kinds[] = {
      {"a.gif", ""}, {"a.png", "-pix_fmt rgb24 -f apng"}, {"a.webp", "-c:v libwebp_anim"}};
  for (const auto& [name, options] : kinds) {
    ffmpeg("-f lavfi -i testsrc=s=64x48:r=10:d=0.5 " + std::string(options) + " {}/" + name);
    const auto facts = inspect_clip(path(name));
    ASSERT_TRUE(facts) << facts.failure().detail;
    EXPECT_FALSE(facts->has_alpha) << name;
  }
  for (const char* name : {"gifsicle.gif", "imagemagick.gif", "img2webp.webp"}) {
    const auto facts = inspect_clip(support::source_dir() / "tests/field/animations" / name);
    ASSERT_TRUE(facts) << facts.failure().detail;
    EXPECT_FALSE(facts->has_alpha) << name;
  }
}

TEST_F(ClipTest, ATurnedCutoutStandsUpright) {
  ffmpeg(std::string(kHalves) +
         "scale=out_color_matrix=bt709,format=yuva444p10le -c:v prores_ks -profile:v 4444 "
         "{}/flat.mov");
  ffmpeg("-i {}/flat.mov -c copy -metadata:s:v rotate=90 {}/turned.mov");
  const auto played = source(path("turned.mov"));
  const auto image = played->cutout(0);
  ASSERT_TRUE(image) << image.failure().detail;
  ASSERT_EQ(image->size, (gpu::Size{48, 64}));
  const auto upright = first_frame(index(path("turned.mov")));
  ASSERT_TRUE(upright);
  EXPECT_TRUE(upright->pixels == image->pixels);
  // ffmpeg turns it as players do.
  ffmpeg("-i {}/turned.mov -frames:v 1 -vf extractplanes=a -f rawvideo -pix_fmt gray {}/alpha.raw");
  const std::string alpha = *read_file(path("alpha.raw"));
  ASSERT_EQ(alpha.size(), 48U * 64U);
  for (const auto& [x, y] : {std::pair{10, 10}, std::pair{10, 54}, std::pair{40, 10}}) {
    EXPECT_NEAR(image->at(x, y)[3],
                static_cast<std::uint8_t>(alpha[static_cast<std::size_t>(y * 48 + x)]), 2);
  }
}

}  // namespace
}  // namespace pytoon::media
