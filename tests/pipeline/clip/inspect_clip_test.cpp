#include "pipeline/media/clip/inspect_clip.h"

#include "base/files.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

class InspectClip : public ClipTest {
 protected:
  void expect_refused(const std::filesystem::path& file, FailureKind kind,
                      const std::string& words) {
    const auto facts = inspect_clip(file);
    ASSERT_FALSE(facts) << file;
    EXPECT_EQ(facts.failure().kind, kind) << facts.failure().detail;
    EXPECT_NE(facts.failure().detail.find(words), std::string::npos) << facts.failure().detail;
  }
};

TEST_F(InspectClip, TellsWhatAClipIs) {
  const auto h264 = inspect_clip(clip("clip.mp4", 48, "24"));
  ASSERT_TRUE(h264) << h264.failure().detail;
  EXPECT_EQ(h264->format, "mp4");
  EXPECT_EQ(h264->codec, "h264");
  EXPECT_EQ(h264->size, (gpu::Size{160, 96}));
  EXPECT_DOUBLE_EQ(h264->duration_seconds, 2);
  const auto hevc = inspect_clip(clip("clip.mov", 30, "60", kHevc));
  ASSERT_TRUE(hevc) << hevc.failure().detail;
  EXPECT_EQ(hevc->format, "mov");
  EXPECT_EQ(hevc->codec, "hevc");
  EXPECT_DOUBLE_EQ(hevc->duration_seconds, 0.5);
}

TEST_F(InspectClip, TakesFragmentedFiles) {
  const auto facts = inspect_clip(
      clip("clip.mp4", 60, "30", std::string(kH264) + " -movflags frag_keyframe+empty_moov"));
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_NEAR(facts->duration_seconds, 2, 0.1);
}

TEST_F(InspectClip, OtherBytesAreAnotherType) {
  for (const std::string bytes : {"", "hello", "\x89PNG\r\n\x1A\n0123456789", "RIFFxxxxAVI LIST"}) {
    ASSERT_TRUE(write_file_atomically(path("text.mp4"), bytes));
    expect_refused(path("text.mp4"), FailureKind::kUnsupportedType, "MP4 or MOV");
  }
  clip("clip.mkv", 5, "30");
  expect_refused(path("clip.mkv"), FailureKind::kUnsupportedType, "MP4 or MOV");
}

TEST_F(InspectClip, OtherCodecsAreNamedWithThoseTaken) {
  clip("old.mp4", 5, "30", "-c:v mpeg4");
  expect_refused(path("old.mp4"), FailureKind::kUnsupportedType, "mpeg4; H.264 (AVC) and H.265");
}

TEST_F(InspectClip, AudioAloneIsNoClip) {
  ffmpeg("-f lavfi -i sine=duration=1 -c:a aac {}/audio.mp4");
  expect_refused(path("audio.mp4"), FailureKind::kInvalid, "no picture track");
}

TEST_F(InspectClip, EncryptedIsSaid) {
  clip("locked.mp4", 20, "30",
       std::string(kH264) +
           " -encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff"
           " -encryption_kid 00112233445566778899aabbccddeeff");
  expect_refused(path("locked.mp4"), FailureKind::kInvalid, "encrypted");
}

TEST_F(InspectClip, TooLongAndTooLargeAreSaid) {
  clip("long.mp4", 121, "1");
  expect_refused(path("long.mp4"), FailureKind::kInvalid, "longer than 120 s");
  EXPECT_TRUE(inspect_clip(clip("most.mp4", 120, "1")));
  clip("wide.mp4", 1, "30", kH264, {4112, 16});
  expect_refused(path("wide.mp4"), FailureKind::kInvalid, "4112x16 px");
  EXPECT_TRUE(inspect_clip(clip("widest.mp4", 1, "30", kH264, {4096, 16})));
  std::filesystem::resize_file(path("most.mp4"), 300'000'001);
  expect_refused(path("most.mp4"), FailureKind::kTooLarge, "300 MB");
}

TEST_F(InspectClip, HdrThatCantBeShownIsSaid) {
  clip("pq.mp4", 3, "30",
       std::string(kHevc) +
           " -pix_fmt yuv420p10le -colorspace bt2020nc -color_primaries bt2020 "
           "-color_trc smpte2084");
  expect_refused(path("pq.mp4"), FailureKind::kInvalid, "HDR");
}

}  // namespace
}  // namespace pytoon::media
