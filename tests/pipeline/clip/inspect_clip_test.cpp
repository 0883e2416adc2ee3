#include "pipeline/media/clip/inspect_clip.h"

#include "base/files.h"
#include "tests/pipeline/clip/clip_fixture.h"
#include "tests/support/source_dir.h"

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

// As live encoders and screen recorders write them: up to 90,000 boxes in two minutes.
TEST_F(InspectClip, TakesAFragmentAFrame) {
  const auto file = clip("clip.mp4", 7200, "60",
                         "-f lavfi -i sine=duration=120:sample_rate=48000 -c:a aac " +
                             std::string(kH264) + " -movflags frag_every_frame+empty_moov",
                         {32, 32});
  const std::string bytes = *read_file(file);
  std::size_t fragments = 0;
  for (std::size_t at = bytes.find("moof"); at != std::string::npos;
       at = bytes.find("moof", at + 1))
    ++fragments;
  ASSERT_GT(fragments, 12'000U);
  const auto facts = inspect_clip(file);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_NEAR(facts->duration_seconds, 120, 0.1);
}

// Several slices a picture, as every encoder with slice threads writes them.
TEST_F(InspectClip, TakesPicturesInSlices) {
  const std::pair<const char*, const char*> kinds[] = {
      {"slices", "-x264-params slices=4"},
      {"threads", "-x264-params sliced-threads=1:threads=3"},
      {"latency", "-tune zerolatency -threads 2"},
      {"odd", "-x264-params slices=3:interlaced=1"},
      {"bytes", "-x264-params slice-max-size=300"},
      {"hevc", "-c:v libx265 -preset ultrafast -x265-params log-level=none:slices=3 -tag:v hvc1"}};
  for (const auto& [name, options] : kinds) {
    const bool hevc = std::string(name) == "hevc";
    const auto file = clip(std::string(name) + ".mp4", 40, "30",
                           (hevc ? "" : std::string(kH264) + " ") + options, {320, 480});
    const auto facts = inspect_clip(file);
    EXPECT_TRUE(facts) << name << ": " << facts.failure().detail;
  }
}

TEST_F(InspectClip, TakesWhatComfyUiWritesOnTwoCores) {
  const auto facts =
      inspect_clip(support::source_dir() / "tests/field/comfyui_savevideo_slices.mp4");
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_DOUBLE_EQ(facts->duration_seconds, 3);
}

TEST_F(InspectClip, TakesNotesBehindTheLastBox) {
  const std::string notes[] = {std::string("\x79\x42\xbd\xf2!\x06\xf0\x84 any bytes"),
                               "phone{\"timestamp\":1700000000,\"model\":\"X\"}",
                               std::string("\0\0\0\3SEFH1234", 12), std::string(5000, '\xff'),
                               std::string("\0\0\0\1xmpd\xff\xff\xff\xff\xff\xff\xff\xff", 16)};
  const char* kinds[] = {"", "-movflags faststart", "-movflags frag_keyframe+empty_moov"};
  for (const std::string kind : kinds) {
    for (const char* container : {"clip.mp4", "clip.mov"}) {
      const std::string bytes =
          *read_file(clip(container, 20, "30", std::string(kH264) + " " + kind));
      for (const std::string& note : notes) {
        ASSERT_TRUE(write_file_atomically(path(container), bytes + note));
        const auto facts = inspect_clip(path(container));
        EXPECT_TRUE(facts) << kind << " " << facts.failure().detail;
      }
    }
  }
}

TEST_F(InspectClip, OtherBytesAreAnotherType) {
  for (const std::string bytes : {"", "hello", "\x89PNG\r\n\x1A\n0123456789", "RIFFxxxxAVI LIST"}) {
    ASSERT_TRUE(write_file_atomically(path("text.mp4"), bytes));
    expect_refused(path("text.mp4"), FailureKind::kUnsupportedType, "MP4, MOV, WebM");
  }
  clip("clip.avi", 5, "30");
  expect_refused(path("clip.avi"), FailureKind::kUnsupportedType, "MP4, MOV, WebM");
}

TEST_F(InspectClip, OtherCodecsAreNamedWithThoseTaken) {
  clip("old.mp4", 5, "30", "-c:v mpeg4");
  expect_refused(path("old.mp4"), FailureKind::kUnsupportedType, "mpeg4; H.264 (AVC), H.265");
}

TEST_F(InspectClip, AudioAloneIsNoClip) {
  ffmpeg("-f lavfi -i sine=duration=1 -c:a aac {}/audio.mp4");
  expect_refused(path("audio.mp4"), FailureKind::kInvalid, "no video track");
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

}  // namespace
}  // namespace pytoon::media
