// The audio in the finished video: as the ffmpeg program plays it, beside the pictures.
#include <array>
#include <sstream>

#include "base/hash.h"
#include "pipeline/media/assembler.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/audio/audio_fixture.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;

// Not in the first 1,024 samples, which fade in (aac.h).
constexpr std::array kClicks{0.03, 1.0, 2.5, 2.98};

Wave clicking() {
  return make_wave(3, [](double t, int) {
    for (const double click : kClicks) {
      if (t >= click && t < click + 0.001) return 0.8;
    }
    return 0.0;
  });
}

class AudioInVideo : public AudioTest {
 protected:
  void SetUp() override {
    AudioTest::SetUp();
    auto runtime = MediaRuntime::start(fs::temp_directory_path() / "pytoon-media-test-cache", log_);
    ASSERT_TRUE(runtime) << runtime.failure().detail;
    runtime_ = std::move(*runtime);
  }
  AssemblyOrder video(int seconds) const {
    AssemblyOrder order;
    order.format.size = {108, 192};
    order.output = in_folder("video.mp4");
    for (int i = 0; i < seconds; ++i) {
      MovingImage picture(i);
      SegmentOrder segment;
      segment.format = order.format;
      segment.frame_count = 30;
      segment.output = in_folder("segment" + std::to_string(i));
      EXPECT_TRUE(write_segment(picture, segment));
      order.segments.push_back(segment.output);
    }
    return order;
  }
  fs::path audio(int seconds) const {
    AudioOrder wanted = order(seconds);
    wanted.music = save("music.wav", make_music(seconds));
    write(wanted);
    return wanted.output;
  }

  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  std::unique_ptr<MediaRuntime> runtime_;
};

void expect_clicks(const Wave& heard) {
  for (const double click : kClicks) {
    // Where the audio is most like the click, within 20 ms.
    std::size_t best = 0;
    double most = 0;
    const auto middle = static_cast<std::size_t>(click * 48'000);
    for (std::size_t at = middle - std::min<std::size_t>(middle, 960); at < middle + 960; ++at) {
      double sum = 0;
      for (std::size_t i = 0; i < 48 && at + i < heard.size(); ++i) sum += heard.at(at + i);
      if (sum > most) {
        most = sum;
        best = at;
      }
    }
    EXPECT_NEAR(static_cast<double>(best) / 48'000, click, 0.001) << click;
  }
}

TEST_F(AudioInVideo, FramesAndAudioStartAndEndTogether) {
  AudioOrder wanted = order(3);
  wanted.voice = save("clicks.wav", clicking());
  write(wanted);
  AssemblyOrder assembly = video(3);
  assembly.audio = wanted.output;
  const Status done = assemble(assembly);
  ASSERT_TRUE(done) << done.failure().detail;

  EXPECT_EQ(probe(assembly.output, "-show_entries stream=codec_name,start_time,duration"),
            "h264\n0.000000\n3.000000\naac\n0.000000\n3.000000\n");
  const auto facts = probe_video(assembly.output);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->frames, 90);
  EXPECT_TRUE(facts->has_audio);
  EXPECT_TRUE(facts->moov_before_mdat);
  const Wave heard = hear(assembly.output);
  EXPECT_LE(heard.size(), 3U * 48'000 + 1024);
  expect_clicks(heard);
}

// A rule of Instagram for reels, see docs/adr/0011. The clicks are where they should be for players
// that know no edit lists too.
TEST_F(AudioInVideo, NoEditListAndNothingBeforeTheFirstSample) {
  AudioOrder wanted = order(3);
  wanted.voice = save("clicks.wav", clicking());
  write(wanted);
  AssemblyOrder assembly = video(3);
  assembly.audio = wanted.output;
  ASSERT_TRUE(assemble(assembly));
  for (const fs::path& file : {wanted.output, assembly.output}) {
    SCOPED_TRACE(file);
    EXPECT_TRUE(mp4_boxes(file, "edts").empty());
    EXPECT_TRUE(mp4_boxes(file, "elst").empty());
    const Mp4Box times = mp4_boxes(file, "stts").back();
    std::uint64_t samples = 0;
    for (std::uint64_t i = 0; i < times.number(4); ++i) {
      samples += times.number(8 + 8 * i) * times.number(12 + 8 * i);
    }
    EXPECT_EQ(samples, 3U * 48'000);
    run("ffmpeg -y -v error -ignore_editlist 1 -i '" + file.string() + "' -vn '" +
        in_folder("plain.wav").string() + "'");
    expect_clicks(hear(in_folder("plain.wav")));
  }
}

// Audio of builds that hid the encoder's priming in an edit list goes into new videos.
TEST_F(AudioInVideo, AudioWithAPrimingEditGoesInWithoutIt) {
  AssemblyOrder assembly = video(3);
  assembly.audio = save("old.mp4", clicking(), "-c:a aac -b:a 192k");
  ASSERT_EQ(mp4_boxes(*assembly.audio, "elst").size(), 1U);
  const Status done = assemble(assembly);
  ASSERT_TRUE(done) << done.failure().detail;
  EXPECT_TRUE(mp4_boxes(assembly.output, "elst").empty());
  EXPECT_EQ(probe(assembly.output, "-show_entries stream=codec_name,start_time,duration"),
            "h264\n0.000000\n3.000000\naac\n0.000000\n3.000000\n");
  expect_clicks(hear(assembly.output));
}

TEST_F(AudioInVideo, TheSameVideoAndAudioGiveTheSameBytes) {
  AssemblyOrder assembly = video(2);
  assembly.audio = audio(2);
  ASSERT_TRUE(assemble(assembly));
  const std::string first = *sha256_file(assembly.output);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(assemble(assembly));
    ASSERT_EQ(*sha256_file(assembly.output), first);
  }
  assembly.audio.reset();
  ASSERT_TRUE(assemble(assembly));
  EXPECT_NE(*sha256_file(assembly.output), first);
  EXPECT_FALSE(probe_video(assembly.output)->has_audio);
}

TEST_F(AudioInVideo, ATornAudioIsRefusedByName) {
  AssemblyOrder assembly = video(1);
  assembly.audio = audio(1);
  fs::resize_file(*assembly.audio, fs::file_size(*assembly.audio) - 100);
  const Status torn = assemble(assembly);
  ASSERT_FALSE(torn);
  EXPECT_EQ(torn.failure().kind, FailureKind::kMedia);
  EXPECT_NE(torn.failure().detail.find("audio.mp4"), std::string::npos);
  EXPECT_FALSE(fs::exists(assembly.output));
  assembly.audio = in_folder("none.mp4");
  EXPECT_EQ(assemble(assembly).failure().kind, FailureKind::kNotFound);
}

}  // namespace pytoon::media
