#include "tests/pipeline/audio/audio_fixture.h"

#include <ebur128.h>
extern "C" {
#include <libavutil/log.h>
}

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>

#include "base/files.h"

namespace pytoon::media {
namespace fs = std::filesystem;
namespace {

constexpr double kTau = 2 * std::numbers::pi;

void put(std::string& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

std::string wav_of_floats(const Wave& wave) {
  const std::uint64_t data = wave.samples.size() * sizeof(float);
  const auto frame = static_cast<std::uint64_t>(wave.channels) * sizeof(float);
  std::string bytes = "RIFF";
  put(bytes, 36 + data, 4);
  bytes += "WAVEfmt ";
  put(bytes, 16, 4);
  put(bytes, 3, 2);  // IEEE float
  put(bytes, static_cast<std::uint64_t>(wave.channels), 2);
  put(bytes, static_cast<std::uint64_t>(wave.rate), 4);
  put(bytes, static_cast<std::uint64_t>(wave.rate) * frame, 4);
  put(bytes, frame, 2);
  put(bytes, 32, 2);
  bytes += "data";
  put(bytes, data, 4);
  bytes.append(reinterpret_cast<const char*>(wave.samples.data()), data);
  return bytes;
}

Wave from_raw_floats(const fs::path& file, int rate, int channels) {
  const std::string bytes = *read_file(file);
  Wave wave{rate, channels, std::vector<float>(bytes.size() / sizeof(float))};
  std::memcpy(wave.samples.data(), bytes.data(), wave.samples.size() * sizeof(float));
  return wave;
}

std::string in_quotes(const fs::path& path) { return "'" + path.string() + "'"; }

}  // namespace

Wave make_wave(double seconds, const std::function<double(double, int)>& value, int rate,
               int channels) {
  Wave wave{rate, channels, {}};
  const auto count = static_cast<std::size_t>(std::llround(seconds * rate));
  for (std::size_t i = 0; i < count; ++i) {
    for (int c = 0; c < channels; ++c) {
      wave.samples.push_back(static_cast<float>(value(static_cast<double>(i) / rate, c)));
    }
  }
  return wave;
}

Wave make_music(double seconds) {
  constexpr std::array<std::array<double, 3>, 4> kChords{
      {{220, 277, 330}, {196, 247, 294}, {175, 220, 262}, {165, 208, 247}}};
  std::uint32_t noise = 1;
  return make_wave(seconds, [&](double t, int channel) {
    noise = noise * 1664525 + 1013904223;
    const double beat = std::exp(-30 * std::fmod(t, 0.5)) * (noise / 4294967296.0 - 0.5);
    const double swell = 0.7 + 0.3 * std::sin(kTau * 0.5 * t);
    double chord = 0;
    for (const double hz : kChords[static_cast<std::size_t>(t / 2) % 4]) {
      chord += std::sin(kTau * hz * (channel == 0 ? 1 : 1.002) * t);
    }
    return 0.12 * swell * chord + 0.3 * beat + 0.05 * std::sin(kTau * kToneHz * t);
  });
}

Measured measure(const Wave& wave) {
  ebur128_state* raw =
      ebur128_init(static_cast<unsigned>(wave.channels), static_cast<unsigned long>(wave.rate),
                   EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
  const auto destroy = [](ebur128_state* state) { ebur128_destroy(&state); };
  const std::unique_ptr<ebur128_state, decltype(destroy)> state(raw, destroy);
  EXPECT_EQ(ebur128_add_frames_float(raw, wave.samples.data(), wave.size()), EBUR128_SUCCESS);
  Measured measured;
  EXPECT_EQ(ebur128_loudness_global(raw, &measured.lufs), EBUR128_SUCCESS);
  double highest = 0;
  for (unsigned c = 0; c < static_cast<unsigned>(wave.channels); ++c) {
    double peak = 0;
    EXPECT_EQ(ebur128_true_peak(raw, c, &peak), EBUR128_SUCCESS);
    highest = std::max(highest, peak);
  }
  measured.true_peak_dbtp = 20 * std::log10(highest);
  return measured;
}

double tone_db(const Wave& wave, double hz, double at_seconds, double window_seconds) {
  const auto count = static_cast<std::size_t>(window_seconds * wave.rate);
  const auto middle = static_cast<std::ptrdiff_t>(at_seconds * wave.rate);
  const std::ptrdiff_t first =
      std::max<std::ptrdiff_t>(0, middle - static_cast<std::ptrdiff_t>(count / 2));
  double real = 0;
  double imaginary = 0;
  double weights = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = static_cast<std::size_t>(first) + i;
    if (at >= wave.size()) break;
    const double place = static_cast<double>(i);
    const double weight = 0.5 - 0.5 * std::cos(kTau * place / static_cast<double>(count));
    const double angle = kTau * hz * place / wave.rate;
    real += weight * wave.at(at) * std::cos(angle);
    imaginary += weight * wave.at(at) * std::sin(angle);
    weights += weight;
  }
  return 20 * std::log10(2 * std::hypot(real, imaginary) / weights + 1e-12);
}

void AudioTest::SetUp() {
  std::string name = (fs::temp_directory_path() / "pytoon-audio-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  av_log_set_level(AV_LOG_FATAL);  // FFmpeg says on stderr what we get as Failures
}

void AudioTest::TearDown() { fs::remove_all(folder_); }

void AudioTest::run(const std::string& command) const {
  const fs::path log = folder_ / "log.txt";
  const int rc = std::system((command + " >" + in_quotes(log) + " 2>&1 </dev/null").c_str());
  const Result<std::string> said = read_file(log);
  ASSERT_EQ(rc, 0) << command << "\n"
                   << (said ? *said : "") << "\n(scripts/setup test installs it)";
}

fs::path AudioTest::save(const std::string& name, const Wave& wave,
                         const std::string& options) const {
  fs::path file = folder_ / name;
  if (file.extension() == ".wav" && options.empty()) {
    EXPECT_TRUE(write_file_atomically(file, wav_of_floats(wave)));
    return file;
  }
  const fs::path raw = folder_ / (name + ".floats.wav");
  EXPECT_TRUE(write_file_atomically(raw, wav_of_floats(wave)));
  run("ffmpeg -y -v error -i " + in_quotes(raw) + " " + options + " " + in_quotes(file));
  fs::remove(raw);
  return file;
}

Wave AudioTest::speak(const std::string& text) const {
  const fs::path file = folder_ / "spoken.wav";
  const fs::path raw = folder_ / "spoken.raw";
  run("espeak-ng -v en-us -s 160 -w " + in_quotes(file) + " " + in_quotes(fs::path(text)));
  run("ffmpeg -y -v error -i " + in_quotes(file) + " -f f32le " + in_quotes(raw));
  return from_raw_floats(raw, 22'050, 1);
}

Wave AudioTest::hear(const fs::path& file) const {
  const fs::path raw = folder_ / "heard.raw";
  run("ffmpeg -y -v error -i " + in_quotes(file) + " -vn -ac 2 -ar 48000 -f f32le " +
      in_quotes(raw));
  return from_raw_floats(raw, 48'000, 2);
}

std::string AudioTest::probe(const fs::path& file, const std::string& entries) const {
  run("ffprobe -v error -of default=noprint_wrappers=1:nokey=1 " + entries + " " + in_quotes(file));
  return *read_file(folder_ / "log.txt");
}

AudioOrder AudioTest::order(int seconds) const {
  AudioOrder order;
  order.duration_seconds = seconds;
  order.output = folder_ / "audio.mp4";
  return order;
}

AudioMeasures AudioTest::write(const AudioOrder& order) const {
  const Result<AudioMeasures> written = write_audio(order, decoder_);
  EXPECT_TRUE(written) << written.failure().detail;
  return written ? *written : AudioMeasures{};
}

}  // namespace pytoon::media
