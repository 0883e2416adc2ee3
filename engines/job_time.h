// How long a job may take, from when a worker first takes it: its engines of footage have that time
// but for what is kept back for drawing and assembling. Pure.
#pragma once

#include <chrono>

namespace pytoon::engines {

struct JobTime {
  std::chrono::milliseconds whole{7'200'000};
  std::chrono::milliseconds drawing_per_second{4000};  // kept back for each second of video

  // Never below 0.
  std::chrono::milliseconds for_engines(int video_seconds) const {
    const std::chrono::milliseconds left = whole - drawing_per_second * video_seconds;
    return left.count() > 0 ? left : std::chrono::milliseconds(0);
  }
};

}  // namespace pytoon::engines
