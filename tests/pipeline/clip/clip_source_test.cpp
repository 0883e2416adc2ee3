#include <random>

#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

struct Rate {
  const char* text;
  std::int64_t num;
  std::int64_t den;
};

class ClipRates : public ClipTest, public testing::WithParamInterface<Rate> {};

TEST_P(ClipRates, ShowsTheRightFrameAtEveryThirtieth) {
  const Rate rate = GetParam();
  const auto file = clip("clip.mp4", 50, rate.text);
  const auto played = source(file);
  EXPECT_EQ(index(file)->times.starts.size(), 50U);
  const std::int64_t length = 50 * 30 * rate.den / rate.num;
  for (std::int64_t n = 0; n < length; ++n) {
    ASSERT_EQ(code_at(*played, n), n * rate.num / (30 * rate.den)) << "at " << n << "/30 s";
  }
  EXPECT_EQ(code_at(*played, length + 100), 49);
}

INSTANTIATE_TEST_SUITE_P(All, ClipRates,
                         testing::Values(Rate{"24", 24, 1}, Rate{"25", 25, 1},
                                         Rate{"30000/1001", 30000, 1001}, Rate{"30", 30, 1},
                                         Rate{"60", 60, 1}));

TEST_F(ClipTest, FramesOfUnevenLengthAreShownForAsLongAsEachLasts) {
  // Frame i begins at 7 i^2 + 20 i ms.
  const auto file = clip(
      "clip.mp4", 20, "1000",
      "-vf setpts=7*N*N+20*N -vsync passthrough -video_track_timescale 1000 " + std::string(kH264));
  const auto played = source(file);
  int expected = 0;
  for (std::int64_t n = 0; n < 80; ++n) {
    while (expected < 19) {
      const std::int64_t next = expected + 1;
      if (30 * (2 * (7 * next * next + 20 * next) - 1) > 2000 * n) break;  // half a tick before
      ++expected;
    }
    ASSERT_EQ(code_at(*played, n), expected) << "at " << n << "/30 s";
  }
}

TEST_F(ClipTest, AnyOrderGivesTheSameFramesAsGoingForward) {
  const std::string open_gop =
      "-c:v libx264 -preset ultrafast -x264-params keyint=10:open-gop=1:bframes=3:scenecut=0";
  const auto h264 = clip("open.mp4", 90, "30", open_gop);
  const auto hevc = clip("hevc.mov", 90, "30", kHevc);
  std::mt19937 random(7);
  for (const auto& file : {h264, hevc}) {
    EXPECT_GT(index(file)->key_frames.size(), 4U);
    const auto played = source(file);
    for (int i = 0; i < 60; ++i) {
      const int n = static_cast<int>(random() % 90);
      ASSERT_EQ(code_at(*played, n), n) << file;
    }
  }
}

TEST_F(ClipTest, ALongWayAheadBeginsAtAKeyFrame) {
  const auto played = source(clip("clip.mp4", 300, "30"));
  EXPECT_EQ(code_at(*played, 290), 290);
  EXPECT_EQ(code_at(*played, 291), 291);
  EXPECT_EQ(code_at(*played, 3), 3);
}

TEST_F(ClipTest, AnEditListHidesWhatComesBeforeIt) {
  clip("whole.mp4", 60, "30", std::string(kH264) + " -g 60");
  ffmpeg("-ss 0.5 -i {}/whole.mp4 -c copy {}/cut.mp4");
  const auto file = path("cut.mp4");
  const auto played = source(file);
  EXPECT_LT(index(file)->key_frames.front().shown, index(file)->first_shown);
  for (int n = 0; n < 40; ++n) ASSERT_EQ(code_at(*played, n), n + 15);
  EXPECT_EQ(code_at(*played, 2), 17);
}

TEST_F(ClipTest, AudioThatBeginsEarlierDoesNotMoveTheFrames) {
  clip("silent.mp4", 30, "30");
  ffmpeg(
      "-itsoffset 0.4 -i {}/silent.mp4 -f lavfi -i sine=duration=2 -c:v copy -c:a aac "
      "{}/late.mp4");
  const auto played = source(path("late.mp4"));
  for (int n = 0; n < 30; ++n) ASSERT_EQ(code_at(*played, n), n);
}

TEST_F(ClipTest, WidePixelsMakeTheFrameWider) {
  const auto file = clip("clip.mp4", 3, "30", "-vf setsar=4/3 " + std::string(kH264));
  EXPECT_EQ(index(file)->upright, (gpu::Size{213, 96}));
  const auto tall = clip("tall.mp4", 3, "30", "-vf setsar=1/2 " + std::string(kH264));
  EXPECT_EQ(index(tall)->upright, (gpu::Size{160, 192}));
}

TEST_F(ClipTest, AClipMuchLargerThanItsPlaceIsScaledDown) {
  const auto file = clip("clip.mp4", 3, "30");
  const auto made = index(file);
  const PlayedClip small = play(made, {80, 48});
  EXPECT_EQ(small.frame(2)->size, (gpu::Size{80, 48}));
  EXPECT_EQ(read_code(*small.frame(2)), 2);
  const PlayedClip alike = play(made, {150, 90});
  EXPECT_EQ(alike.frame(2)->size, (gpu::Size{160, 96}));
}

TEST_F(ClipTest, OddSizesLoseALineNotTheirPlace) {
  const auto file =
      clip("clip.mp4", 5, "30", "-pix_fmt yuv444p -c:v libx264 -preset ultrafast", {161, 97});
  EXPECT_EQ(index(file)->upright, (gpu::Size{161, 97}));
  const auto played = source(file);
  EXPECT_EQ(played->frame(4)->size, (gpu::Size{160, 96}));
  EXPECT_EQ(code_at(*played, 4), 4);
}

TEST_F(ClipTest, FramesMayBeKeptWhileOthersAreMade) {
  const auto played = source(clip("clip.mp4", 20, "30"));
  std::vector<gpu::Nv12Frame> kept;
  for (std::size_t i = 0; i < 20; ++i) kept.push_back(*played->frame(i));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(read_code(kept[static_cast<std::size_t>(i)]), i);
}

TEST_F(ClipTest, BuffersAreUsedAgain) {
  const auto played = source(clip("clip.mp4", 20, "30"));
  const std::uint8_t* seen[2] = {};
  for (std::size_t i = 0; i < 20; ++i) {
    const auto* const luma = played->frame(i)->luma;
    if (i < 2) seen[i] = luma;
    ASSERT_TRUE(luma == seen[0] || luma == seen[1]);
  }
}

TEST_F(ClipTest, CancelIsHeard) {
  const CancelToken cancel;
  const auto played = source(clip("clip.mp4", 20, "30"), cancel);
  EXPECT_EQ(code_at(*played, 3), 3);
  cancel.cancel();
  const auto refused = played->frame(15);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kCancelled);
}

TEST_F(ClipTest, AFileThatIsGoneIsNotFound) {
  const auto file = clip("clip.mp4", 20, "30");
  const auto played = source(file);
  std::filesystem::remove(file);
  const auto refused = played->frame(0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kNotFound);
}

TEST_F(ClipTest, TheFirstFrameHasSquarePixels) {
  const auto file = clip("clip.mp4", 3, "30", "-vf setsar=2 " + std::string(kH264));
  const auto picture = first_frame(index(file));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->size, (gpu::Size{320, 96}));
}

}  // namespace
}  // namespace pytoon::media
