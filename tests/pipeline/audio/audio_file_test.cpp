#include "pipeline/media/audio/audio_file.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "base/files.h"
#include "tests/pipeline/audio/audio_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::HasSubstr;
namespace {

Wave tone(double seconds, int rate = 48'000, int channels = 2) {
  return make_wave(
      seconds, [](double t, int) { return 0.4 * std::sin(kTau * 1000 * t); }, rate, channels);
}

class AudioFile : public AudioTest {
 protected:
  static Failure refused(const fs::path& file) {
    const Result<MediaInfo> facts = inspect_audio(file);
    EXPECT_FALSE(facts) << file;
    return facts ? Failure{} : facts.failure();
  }
  // A tone of two seconds, as a file: what it is said to be, and how it audio.
  void expect_taken(const std::string& name, const std::string& options, const std::string& format,
                    int channels, int rate) const {
    SCOPED_TRACE(name + " " + options);
    const fs::path file = save(name, tone(2, rate, channels), options);
    const Result<MediaInfo> facts = inspect_audio(file);
    ASSERT_TRUE(facts) << facts.failure().detail;
    EXPECT_EQ(facts->format, format);
    EXPECT_EQ(facts->channels, channels);
    EXPECT_EQ(facts->sample_rate, rate);
    EXPECT_NEAR(facts->duration_seconds, 2, 0.1);
    const Result<Pcm> audio = read_audio(file, 3 * kAudioRate, {});
    ASSERT_TRUE(audio) << audio.failure().detail;
    EXPECT_NEAR(static_cast<double>(audio->size()) / kAudioRate, 2, 0.1);
    Wave heard;
    for (std::size_t i = 0; i < audio->size(); ++i) {
      heard.samples.push_back(audio->channels[0][i]);
      heard.samples.push_back(audio->channels[1][i]);
    }
    EXPECT_GT(tone_db(heard, 1000, 1, 0.2), -16);
    EXPECT_LT(tone_db(heard, 1500, 1, 0.2), -60);
  }
};

}  // namespace

TEST_F(AudioFile, EveryKindThatUsersHaveIsTaken) {
  expect_taken("a.mp3", "-b:a 128k", "mp3", 2, 44'100);
  expect_taken("v.mp3", "-q:a 4", "mp3", 1, 22'050);
  expect_taken("a.m4a", "-c:a aac -b:a 128k", "m4a", 2, 48'000);
  expect_taken("a.aac", "-c:a aac -b:a 128k", "aac", 2, 44'100);
  expect_taken("lossless.m4a", "-c:a alac", "m4a", 2, 44'100);
  expect_taken("a.flac", "-c:a flac", "flac", 2, 96'000);
  expect_taken("v.ogg", "-c:a libvorbis", "ogg", 2, 44'100);
  expect_taken("o.ogg", "-c:a libopus -b:a 96k", "ogg", 2, 48'000);
}

TEST_F(AudioFile, WavOfAnyDepthRateAndChannelsIsTaken) {
  for (const char* depth :
       {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_mulaw"}) {
    expect_taken("a.wav", std::string("-c:a ") + depth, "wav", 2, 48'000);
  }
  for (const int rate : {8'000, 11'025, 44'100, 192'000}) {
    expect_taken("a.wav", "-c:a pcm_s16le", "wav", 1, rate);
  }
  expect_taken("a.wav", "-c:a pcm_s24le", "wav", 6, 48'000);
  expect_taken("a.flac", "-c:a flac", "flac", 6, 192'000);
}

// Studio programs, iOS and browsers' MediaRecorder, which writes neither a duration nor an index.
TEST_F(AudioFile, WhatOtherProgramsRecordIsTaken) {
  for (const char* depth : {"pcm_s16be", "pcm_s24be", "pcm_f32be", "pcm_s16le"}) {
    expect_taken("a.aiff", std::string("-c:a ") + depth, "aiff", 2, 48'000);
  }
  expect_taken("a.caf", "-c:a pcm_s16le", "caf", 1, 44'100);
  expect_taken("l.caf", "-c:a alac", "caf", 2, 44'100);
  expect_taken("a.webm", "-c:a libopus", "webm", 2, 48'000);
  expect_taken("v.webm", "-c:a libvorbis", "webm", 2, 44'100);
  expect_taken("live.webm", "-c:a libopus -live 1", "webm", 1, 48'000);
  expect_taken("a.mka", "-c:a flac", "mka", 2, 96'000);
}

TEST_F(AudioFile, ACoverImageIsNoObstacle) {
  const fs::path song = save("song.mp3", tone(2), "-b:a 128k");
  const fs::path with_cover = in_folder("cover.mp3");
  run("ffmpeg -y -v error -i '" + song.string() + "' -f lavfi -i color=red:s=64x64:d=0.04 " +
      "-map 0 -map 1 -c:a copy -c:v png '" + with_cover.string() + "'");
  const Result<MediaInfo> facts = inspect_audio(with_cover);
  ASSERT_TRUE(facts) << facts.failure().detail;
  EXPECT_EQ(facts->format, "mp3");
}

TEST_F(AudioFile, WhatIsNoAudioIsOfAnotherType) {
  ASSERT_TRUE(write_file_atomically(in_folder("text.mp3"), "I am not a song.\n"));
  EXPECT_EQ(refused(in_folder("text.mp3")).kind, FailureKind::kUnsupportedType);
  ASSERT_TRUE(write_file_atomically(in_folder("empty.mp3"), ""));
  EXPECT_EQ(refused(in_folder("empty.mp3")).kind, FailureKind::kMalformed);
  EXPECT_EQ(refused(in_folder("none.mp3")).kind, FailureKind::kNotFound);
  run("ffmpeg -y -v error -f lavfi -i testsrc=d=1:s=64x64 -pix_fmt yuv420p '" +
      in_folder("film.mp4").string() + "'");
  const Failure film = refused(in_folder("film.mp4"));
  EXPECT_EQ(film.kind, FailureKind::kUnsupportedType);
  EXPECT_THAT(film.detail, HasSubstr("no audio in this video"));
  run("ffmpeg -y -v error -f lavfi -i sine=d=1 -c:a adpcm_ms '" + in_folder("adpcm.wav").string() +
      "'");
  const Failure adpcm = refused(in_folder("adpcm.wav"));
  EXPECT_EQ(adpcm.kind, FailureKind::kUnsupportedType);
  EXPECT_THAT(adpcm.detail, HasSubstr("adpcm_ms"));
}

TEST_F(AudioFile, ProtectedFilesAreRefusedAsSuch) {
  const fs::path clear = save("clear.m4a", tone(2), "-c:a aac");
  const fs::path cenc = in_folder("cenc.m4a");
  run("ffmpeg -y -v error -i '" + clear.string() + "' -c copy -encryption_scheme cenc-aes-ctr " +
      "-encryption_key 00112233445566778899aabbccddeeff " +
      "-encryption_kid 00112233445566778899aabbccddeeff -f mp4 '" + cenc.string() + "'");
  const Failure fault = refused(cenc);
  EXPECT_EQ(fault.kind, FailureKind::kUnsupportedType);
  EXPECT_THAT(fault.detail, HasSubstr("DRM"));
  // The older kind: another name for the sample entry.
  std::string bytes = *read_file(clear);
  const std::size_t entry = bytes.find("mp4a");
  ASSERT_NE(entry, std::string::npos);
  bytes.replace(entry, 4, "drms");
  ASSERT_TRUE(write_file_atomically(in_folder("old.m4a"), bytes));
  EXPECT_THAT(refused(in_folder("old.m4a")).detail, HasSubstr("DRM"));
}

TEST_F(AudioFile, CutFilesAreRefused) {
  for (const auto& [name, options] :
       std::vector<std::pair<std::string, std::string>>{{"a.wav", "-c:a pcm_s16le"},
                                                        {"a.flac", "-c:a flac"},
                                                        {"a.aiff", "-c:a pcm_s16be"},
                                                        {"a.m4a", "-c:a aac -movflags +faststart"},
                                                        {"a.mp3", "-b:a 128k"}}) {
    const fs::path file = save(name, make_music(4), options);
    ASSERT_TRUE(inspect_audio(file)) << name;
    fs::resize_file(file, fs::file_size(file) * 6 / 10);
    EXPECT_EQ(refused(file).kind, FailureKind::kMalformed) << name;
  }
}

// Speech services, espeak-ng --stdout, sox and ffmpeg write into pipes, before they know the size.
TEST_F(AudioFile, AWavWithAPlaceholderForItsSizeIsTaken) {
  for (const char* depth : {"pcm_s16le", "pcm_f32le", "pcm_s24le", "pcm_mulaw"}) {
    const std::string good =
        *read_file(save("a.wav", tone(2), std::string("-bitexact -c:a ") + depth));
    const std::size_t data = good.find("data");
    ASSERT_NE(data, std::string::npos);
    for (const std::uint32_t said : {0U, 0xFFFFFFFFU, 0x7FFFFFFFU, 0x7FFFF000U, 0x7FFFFFDBU,
                                     0x80000000U, 0xFFFFFFDBU, 0xFFFFFF00U, 2'000'000'000U}) {
      std::string bytes = good;
      for (std::size_t i = 0; i < 4; ++i) {
        bytes[data + 4 + i] = static_cast<char>(said >> (8 * i) & 0xFF);
        bytes[4 + i] = bytes[data + 4 + i];
      }
      for (const std::size_t lost : {std::size_t{0}, std::size_t{1}}) {
        ASSERT_TRUE(
            write_file_atomically(in_folder("stream.wav"), bytes.substr(0, bytes.size() - lost)));
        const Result<MediaInfo> facts = inspect_audio(in_folder("stream.wav"));
        ASSERT_TRUE(facts) << depth << " " << said << ": " << facts.failure().detail;
        EXPECT_NEAR(facts->duration_seconds, 2, 0.01) << depth << " " << said;
        EXPECT_TRUE(read_audio(in_folder("stream.wav"), 3 * kAudioRate, {}));
      }
    }
  }
  run("(espeak-ng --stdout 'the quick brown fox' > '" + in_folder("espeak.wav").string() + "')");
  EXPECT_TRUE(inspect_audio(in_folder("espeak.wav")));
  run("(ffmpeg -v error -i '" + in_folder("espeak.wav").string() + "' -f wav - > '" +
      in_folder("pipe.wav").string() + "')");
  EXPECT_TRUE(inspect_audio(in_folder("pipe.wav")));
}

TEST_F(AudioFile, AnMp3ThatBeginsWithJunkIsTaken) {
  const std::pair<const char*, int> kinds[] = {{"-b:a 128k -write_xing 0", 44'100},
                                               {"-q:a 4 -write_xing 0", 48'000},
                                               {"-b:a 320k -write_xing 0", 32'000},
                                               {"-b:a 32k -write_xing 0", 22'050},
                                               {"-b:a 16k -write_xing 0", 11'025}};
  for (const auto& [options, rate] : kinds) {
    const std::string good =
        *read_file(save("a.mp3", tone(4, rate, 1), std::string("-id3v2_version 0 ") + options));
    const std::string starts[] = {std::string(1000, '\0') + good, std::string(70'000, '\0') + good,
                                  good.substr(100), good.substr(1001),
                                  std::string(5, '\0') + good.substr(77)};
    for (const std::string& bytes : starts) {
      ASSERT_TRUE(write_file_atomically(in_folder("junk.mp3"), bytes));
      const Result<MediaInfo> facts = inspect_audio(in_folder("junk.mp3"));
      ASSERT_TRUE(facts) << options << ": " << facts.failure().detail;
      EXPECT_EQ(facts->format, "mp3");
      EXPECT_NEAR(facts->duration_seconds, 4, 0.6) << options;
    }
  }
}

// Random bytes hold what looks like a frame's head every few thousand bytes.
TEST_F(AudioFile, NoiseIsNoMp3) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::string bytes(20'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_TRUE(write_file_atomically(in_folder("noise.mp3"), bytes));
    EXPECT_EQ(refused(in_folder("noise.mp3")).kind, FailureKind::kUnsupportedType);
  }
}

TEST_F(AudioFile, LimitsAreSaid) {
  const Failure slow = refused(save("slow.wav", tone(1, 4'000, 1)));
  EXPECT_EQ(slow.kind, FailureKind::kInvalid);
  EXPECT_THAT(slow.detail, HasSubstr("4000"));
  run("ffmpeg -y -v error -f lavfi -i anullsrc=r=8000:cl=mono:d=901 -c:a flac '" +
      in_folder("long.flac").string() + "'");
  const Failure length = refused(in_folder("long.flac"));
  EXPECT_EQ(length.kind, FailureKind::kInvalid);
  EXPECT_THAT(length.detail, HasSubstr("15 minutes"));
  EXPECT_EQ(refused(save("nothing.wav", tone(0.001))).kind, FailureKind::kMalformed);
}

TEST_F(AudioFile, FiveChannelsAreHeardInBoth) {
  // Only the centre speaks: it must be heard left and right alike.
  const fs::path file = save(
      "c.wav",
      make_wave(
          1, [](double t, int channel) { return channel == 2 ? 0.4 * std::sin(6283.2 * t) : 0.0; },
          48'000, 6),
      "-c:a pcm_s24le");
  const Result<Pcm> audio = read_audio(file, kAudioRate, {});
  ASSERT_TRUE(audio) << audio.failure().detail;
  EXPECT_GT(audio->peak(), 0.2F);
  EXPECT_EQ(audio->channels[0], audio->channels[1]);
}

}  // namespace pytoon::media
