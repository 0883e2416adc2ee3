// What one decoder may take of the machine.
#pragma once

#include <chrono>
#include <cstdint>

namespace pytoon::media {

struct DecoderLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // a decoder's own, without libraries
  std::chrono::seconds cpu{60};
  std::chrono::milliseconds wall{90'000};  // until its answer; of a clip, until each frame
};

}  // namespace pytoon::media
