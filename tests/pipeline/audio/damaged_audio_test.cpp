#include <cmath>
#include <random>

#include "base/files.h"
#include "pipeline/media/audio/audio_file.h"
#include "tests/pipeline/audio/audio_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;

class DamagedAudio : public AudioTest {
 protected:
  std::vector<fs::path> good_files() const {
    const Wave music = make_music(0.5);
    return {save("a.mp3", music, "-b:a 128k"),
            save("a.wav", music, "-c:a pcm_s24le"),
            save("f.wav", music),
            save("a.m4a", music, "-c:a aac"),
            save("l.m4a", music, "-c:a alac"),
            save("a.aac", music, "-c:a aac"),
            save("a.flac", music, "-c:a flac"),
            save("a.aiff", music),
            save("a.mka", music, "-c:a libvorbis"),
            save("v.ogg", music, "-c:a libvorbis"),
            save("o.ogg", music, "-c:a libopus")};
  }
  // Whatever comes, it is an answer, and one that blames the file and not us.
  void expect_answer(const std::string& bytes) const {
    const fs::path file = in_folder("damaged");
    ASSERT_TRUE(write_file_atomically(file, bytes));
    const Result<MediaInfo> facts = inspect_audio(file);
    if (facts) {
      EXPECT_GT(facts->duration_seconds, 0);
    } else {
      EXPECT_LT(traits(facts.failure().kind).http_status, 500) << facts.failure().detail;
    }
    const Result<Pcm> audio = read_audio(file, kAudioRate, {});
    if (audio) {
      for (const float sample : audio->channels[0]) ASSERT_TRUE(std::isfinite(sample));
    }
  }
};

// Demuxers then borrow numbers of the operating system, which would blame us.
TEST_F(DamagedAudio, OneThatEndsInItsHeadIsTheFilesFault) {
  constexpr std::size_t kHeadBytes = 160;
  for (const fs::path& file : good_files()) {
    SCOPED_TRACE(file.filename());
    const std::string good = *read_file(file);
    for (std::size_t size = 0; size < kHeadBytes; ++size) expect_answer(good.substr(0, size));
  }
}

// 11 files, 40 damages each.
TEST_F(DamagedAudio, CutAndFlippedFilesNeverCrash) {
  std::mt19937 random(20);
  for (const fs::path& file : good_files()) {
    SCOPED_TRACE(file.filename());
    const std::string good = *read_file(file);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    for (int round = 0; round < 15; ++round) expect_answer(good.substr(0, below(good.size())));
    for (int round = 0; round < 25; ++round) {
      std::string bytes = good;
      // Half of them in the head, where the structure is.
      const std::size_t span =
          round % 2 == 0 ? std::min<std::size_t>(bytes.size(), 200) : bytes.size();
      for (int flip = 0; flip <= round; ++flip) {
        bytes[below(span)] ^= static_cast<char>(1U << below(8));
      }
      expect_answer(bytes);
    }
  }
}

// Ten kilobytes that would cost a gigabyte: a good song with a second track of nothing but claims.
// One that was stored before it was refused costs a job nothing either.
TEST_F(DamagedAudio, ATrackOfClaimsIsRefusedBeforeItCostsMemory) {
  const auto number = [](std::size_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
    return text;
  };
  const auto box = [&](const std::string& type, const std::string& content) {
    return number(content.size() + 8) + type + content;
  };
  const std::string sizes = box("stsz", number(0) + number(1) + number(50'000'000));
  const std::string track = box("trak", box("mdia", box("minf", box("stbl", sizes))));
  std::string bytes = *read_file(save("song.m4a", make_music(0.5), "-c:a aac"));
  const std::size_t index = bytes.rfind("moov");
  ASSERT_NE(index, std::string::npos);
  bytes.replace(index - 4, 4, number(bytes.size() - (index - 4) + track.size()));
  bytes += track;
  const fs::path file = in_folder("claims.m4a");
  ASSERT_TRUE(write_file_atomically(file, bytes));
  const Result<MediaInfo> facts = inspect_audio(file);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kInvalid);
  EXPECT_NE(facts.failure().detail.find("more samples than the file has bytes"), std::string::npos)
      << facts.failure().detail;
  const Result<Pcm> audio = read_audio(file, kAudioRate, {});
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.failure().kind, FailureKind::kInvalid);
}

TEST_F(DamagedAudio, FlippedBitsInExactFormatsAreNoticed) {
  const std::string good = *read_file(save("a.flac", make_music(2), "-c:a flac"));
  std::string bytes = good;
  bytes[bytes.size() / 2] ^= 16;
  ASSERT_TRUE(write_file_atomically(in_folder("bad.flac"), bytes));
  const Result<MediaInfo> facts = inspect_audio(in_folder("bad.flac"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kMalformed);
}

}  // namespace pytoon::media
