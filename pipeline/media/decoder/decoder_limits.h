// What one decoder may take of the machine.
#pragma once

#include <chrono>
#include <cstdint>

namespace pytoon::media {

struct DecoderLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // a decoder's own, without libraries
  std::chrono::seconds cpu{60};
  std::chrono::milliseconds wall{90'000};  // until its answer
  // Until each frame of a clip that is played: less than a worker waits for a sign of life of who
  // draws (60 s), so that the fault is found to be the file's.
  std::chrono::milliseconds frame_wall{45'000};
};

}  // namespace pytoon::media
