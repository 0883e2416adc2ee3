// How long a job may take, from when a worker first takes it: its engines of footage have that time
// but for what is kept back for rendering and assembling. Pure.
#pragma once

#include <chrono>

namespace pytoon::engines {

struct JobTime {
  std::chrono::milliseconds whole{7'200'000};
  std::chrono::milliseconds render_per_video_second{4000};  // kept back for rendering

  // Never below 0.
  std::chrono::milliseconds for_engines(int video_seconds) const {
    const std::chrono::milliseconds left = whole - render_per_video_second * video_seconds;
    return left.count() > 0 ? left : std::chrono::milliseconds(0);
  }
};

}  // namespace pytoon::engines
