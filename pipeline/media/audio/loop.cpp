#include "pipeline/media/audio/loop.h"

#include <cstring>
#include <numbers>
#include <utility>

namespace pytoon::media {
namespace {

constexpr float kSilence = 0.001F;  // -60 dBFS
constexpr std::size_t kCrossfadeMax = kAudioRate;
constexpr std::size_t kShiftMax = kAudioRate / 20;
constexpr std::size_t kCompared = kAudioRate / 5;  // in the middle of the crossfade

bool silent(const Pcm& audio, std::size_t at) {
  return std::abs(audio.channels[0][at]) < kSilence && std::abs(audio.channels[1][at]) < kSilence;
}

// A piece that is quiet all over is kept as it is.
void trim_silence(Pcm& audio) {
  std::size_t first = 0;
  std::size_t last = audio.size();
  while (first < last && silent(audio, first)) ++first;
  if (first == last) return;
  while (silent(audio, last - 1)) --last;
  for (std::vector<float>& channel : audio.channels) {
    channel.resize(last);
    channel.erase(channel.begin(), channel.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

// Eight sums beside each other, which one or two instructions add to: in one order on any machine.
using Sums [[gnu::vector_size(32)]] = float;
constexpr std::size_t kSums = sizeof(Sums) / sizeof(float);

float product(const float* a, const float* b, std::size_t count) {
  Sums sums{};
  std::size_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    Sums left;
    Sums right;
    std::memcpy(&left, a + i, sizeof(left));
    std::memcpy(&right, b + i, sizeof(right));
    sums += left * right;
  }
  float sum = 0;
  for (std::size_t k = 0; k < kSums; ++k) sum += sums[k];
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

double product(const Pcm& audio, std::size_t a, std::size_t b, std::size_t count) {
  double sum = 0;
  for (const std::vector<float>& channel : audio.channels) {
    sum += product(channel.data() + a, channel.data() + b, count);
  }
  return sum;
}

// How alike two stretches are, the first of which has this energy: 1 the same, 0 unlike, -1 upside
// down.
double likeness(const Pcm& audio, std::size_t a, double energy_a, std::size_t b,
                std::size_t count) {
  const double energy = energy_a * product(audio, b, b, count);
  return energy > 0 ? product(audio, a, b, count) / std::sqrt(energy) : 0;
}

struct Seam {
  std::size_t tail = 0;  // where the crossfade begins in the ending repetition
  std::size_t head = 0;  // and in the beginning one
  std::size_t length = 0;
  double likeness = 0;
};

Seam find_seam(const Pcm& music) {
  Seam seam;
  seam.length = std::min(kCrossfadeMax, music.size() / 4);
  seam.tail = music.size() - seam.length;
  const std::size_t compared = std::min(kCompared, seam.length);
  const std::size_t middle = (seam.length - compared) / 2;
  const std::size_t shift_max = std::min(kShiftMax, music.size() / 8);
  const std::size_t end = seam.tail + middle;
  const double energy = product(music, end, end, compared);
  seam.likeness = -2;
  for (std::size_t shift = 0; shift <= shift_max; ++shift) {
    const double like = likeness(music, end, energy, shift + middle, compared);
    if (like <= seam.likeness) continue;
    seam.likeness = like;
    seam.head = shift;
  }
  return seam;
}

std::array<float, 2> gains(const Seam& seam, std::size_t at) {
  const double angle =
      (static_cast<double>(at) + 0.5) / static_cast<double>(seam.length) * std::numbers::pi / 2;
  const double out = std::cos(angle);
  const double in = std::sin(angle);
  const double energy = 1 + 2 * out * in * std::max(seam.likeness, -0.5);
  return {static_cast<float>(out / std::sqrt(energy)), static_cast<float>(in / std::sqrt(energy))};
}

// The part that repeats, beginning with the crossfade.
Pcm repeating_part(const Pcm& music, const Seam& seam) {
  Pcm part;
  for (std::size_t c = 0; c < kAudioChannels; ++c) {
    const std::vector<float>& from = music.channels[c];
    std::vector<float>& to = part.channels[c];
    to.assign(from.begin() + static_cast<std::ptrdiff_t>(seam.head),
              from.begin() + static_cast<std::ptrdiff_t>(seam.tail));
    for (std::size_t i = 0; i < seam.length; ++i) {
      const auto [out, in] = gains(seam, i);
      to[i] = from[seam.tail + i] * out + from[seam.head + i] * in;
    }
  }
  return part;
}

}  // namespace

Pcm looped(Pcm music, std::size_t samples) {
  if (music.size() < samples) trim_silence(music);
  constexpr std::size_t kShortest = 8;
  if (music.size() >= samples || music.size() < kShortest) {
    music.resize(samples);
    return music;
  }
  const Seam seam = find_seam(music);
  const Pcm part = repeating_part(music, seam);
  music.resize(seam.tail);
  for (std::size_t c = 0; c < kAudioChannels; ++c) {
    std::vector<float>& channel = music.channels[c];
    channel.reserve(samples);
    while (channel.size() < samples) {
      const std::size_t wanted = std::min(part.size(), samples - channel.size());
      channel.insert(channel.end(), part.channels[c].begin(),
                     part.channels[c].begin() + static_cast<std::ptrdiff_t>(wanted));
    }
  }
  return music;
}

}  // namespace pytoon::media
