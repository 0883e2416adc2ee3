// WebM, Matroska and what else than H.264 and HEVC stands in MP4 and MOV.
#include "base/files.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

struct WebKind {
  const char* name;
  const char* file;
  const char* options;
  const char* format;
  const char* codec;
};

constexpr const char* kVp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 12 -crf 20 -b:v 0";
constexpr const char* kVp8 = "-c:v libvpx -deadline realtime -cpu-used 8 -g 12 -crf 10 -b:v 2M";
constexpr const char* kVp8Hidden =
    "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 8 -g 12 -crf 10 -b:v 2M";
constexpr const char* kAv1 = "-c:v libaom-av1 -cpu-used 8 -g 12 -crf 20";
constexpr const char* kProres = "-c:v prores_ks -profile:v standard -pix_fmt yuv422p10le";
constexpr const char* kProres4444 = "-c:v prores_ks -profile:v 4444 -pix_fmt yuv444p10le";

constexpr WebKind kWebKinds[] = {{"WebmVp9", "a.webm", kVp9, "webm", "vp9"},
                                 {"WebmVp8", "a.webm", kVp8, "webm", "vp8"},
                                 {"WebmVp8HiddenFrames", "a.webm", kVp8Hidden, "webm", "vp8"},
                                 {"WebmAv1", "a.webm", kAv1, "webm", "av1"},
                                 {"MatroskaH264", "a.mkv", kH264, "mkv", "h264"},
                                 {"MatroskaHevc", "a.mkv", kHevc, "mkv", "hevc"},
                                 {"Mp4Vp9", "a.mp4", kVp9, "mp4", "vp9"},
                                 {"Mp4Av1", "a.mp4", kAv1, "mp4", "av1"},
                                 {"MovProres422", "a.mov", kProres, "mov", "prores"},
                                 {"MovProres4444", "a.mov", kProres4444, "mov", "prores"}};

class EveryWebClip : public ClipTest {
 protected:
  static void expect_every_frame_at_its_time(const std::filesystem::path& file, int count) {
    const auto played = source(file);
    for (int n = 0; n < count; ++n) EXPECT_EQ(code_at(*played, n), n);
    for (const int n : {count / 2, 3, count - 1, 0, 13, 11}) EXPECT_EQ(code_at(*played, n), n);
    const auto from_the_middle = source(file);
    for (const int n : {count - 4, 17, count - 1}) EXPECT_EQ(code_at(*from_the_middle, n), n);
  }
};

class WebClip : public EveryWebClip, public testing::WithParamInterface<WebKind> {};

TEST_P(WebClip, ShowsEveryFrameAtItsTime) {
  const WebKind& kind = GetParam();
  const auto file = clip(kind.file, 48, "30", kind.options);
  const auto facts = inspect_clip(file);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->format, kind.format);
  EXPECT_EQ(facts->codec, kind.codec);
  EXPECT_EQ(facts->size, (gpu::Size{160, 96}));
  EXPECT_NEAR(facts->duration_seconds, 1.6, 0.001);
  expect_every_frame_at_its_time(file, 48);
}

INSTANTIATE_TEST_SUITE_P(All, WebClip, testing::ValuesIn(kWebKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(WebClip, CutOffAnywhereIsRefused) {
  const WebKind& kind = GetParam();
  const std::string whole = *read_file(clip(kind.file, 24, "30", kind.options));
  for (std::size_t part = 1; part < 8; ++part) {
    ASSERT_TRUE(write_file_atomically(path("cut"), whole.substr(0, whole.size() * part / 8)));
    const auto facts = inspect_clip(path("cut"));
    ASSERT_FALSE(facts) << part;
    EXPECT_EQ(facts.failure().kind, FailureKind::kMalformed) << facts.failure().detail;
  }
}

// As browsers and live recorders write it: no length, no cues, clusters that end with the next.
TEST_F(EveryWebClip, OfALiveRecorder) {
  clip("a.webm", 48, "30", kVp9);
  for (const char* options :
       {"-f webm", "-f webm -live 1", "-f matroska -cluster_time_limit 200"}) {
    ffmpeg("-i {}/a.webm -c copy " + std::string(options) + " pipe:1 > {}/live");
    const auto facts = inspect_clip(path("live"));
    ASSERT_TRUE(facts) << options << ": " << facts.failure().detail;
    EXPECT_NEAR(facts->duration_seconds, 1.6, 0.04);
    expect_every_frame_at_its_time(path("live"), 48);
  }
}

TEST_F(EveryWebClip, WithAudioCuesAndTags) {
  clip("a.webm", 48, "30", kVp9);
  ffmpeg(
      "-i {}/a.webm -f lavfi -i sine=duration=1.6 -c:v copy -c:a libopus -metadata title=T "
      "-metadata:s:a language=ger {}/b.webm");
  const auto facts = inspect_clip(path("b.webm"));
  ASSERT_TRUE(facts) << facts.failure().detail;
  expect_every_frame_at_its_time(path("b.webm"), 48);
}

TEST_F(EveryWebClip, OfOddSizeAndTenBits) {
  for (const char* options :
       {"-c:v libvpx-vp9 -cpu-used 8 -deadline realtime -profile:v 2 -pix_fmt yuv420p10le",
        "-c:v libaom-av1 -cpu-used 8 -pix_fmt yuv420p10le",
        "-c:v libvpx-vp9 -cpu-used 8 -deadline realtime -profile:v 1 -pix_fmt yuv444p"}) {
    const auto file = clip("a.webm", 6, "30", options, {99, 65});
    const auto facts = inspect_clip(file);
    ASSERT_TRUE(facts) << options << ": " << facts.failure().detail;
    EXPECT_EQ(facts->size, (gpu::Size{99, 65}));
    const auto played = source(file);
    EXPECT_EQ(code_at(*played, 4), 4) << options;
  }
}

}  // namespace
}  // namespace pytoon::media
