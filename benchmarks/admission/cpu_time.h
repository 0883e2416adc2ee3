// CPU time of this thread: what a decision costs on a machine that others use too.
#pragma once

#include <ctime>

namespace pytoon::benchmark {

inline double thread_cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);  // tidy: measures this thread, not the world
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

}  // namespace pytoon::benchmark
