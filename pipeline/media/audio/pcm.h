// Audio in memory: planar stereo, 32-bit float, 48 kHz. One minute takes 23 MB. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace pytoon::media {

inline constexpr int kAudioRate = 48'000;  // samples a second
inline constexpr std::size_t kAudioChannels = 2;

struct Pcm {
  std::array<std::vector<float>, kAudioChannels> channels;

  std::size_t size() const { return channels[0].size(); }  // samples of one channel
  // Cuts, or fills up with silence.
  void resize(std::size_t samples) {
    for (std::vector<float>& channel : channels) channel.resize(samples, 0.0F);
  }
  float peak() const {
    float highest = 0;
    for (const std::vector<float>& channel : channels) {
      for (const float sample : channel) highest = std::max(highest, std::abs(sample));
    }
    return highest;
  }
};

inline double db_to_linear(double db) { return std::pow(10.0, db / 20); }
inline double linear_to_db(double linear) { return 20 * std::log10(linear); }

}  // namespace pytoon::media
