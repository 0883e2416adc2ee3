#include "pipeline/media/clip/clip_times.h"

#include <algorithm>

namespace pytoon::media {

// start - 1/2 tick <= at, in whole numbers: 120 s at any time base stay far below 2^63.
std::size_t ClipTimes::shown(std::int64_t at, int per_second) const {
  const std::int64_t unit = tick_num * per_second;
  const auto after = std::upper_bound(starts.begin(), starts.end(), 2 * at,
                                      [unit](std::int64_t twice_at, std::int64_t start) {
                                        return twice_at < (2 * start - 1) * unit;
                                      });
  return after == starts.begin() ? 0 : static_cast<std::size_t>(after - starts.begin()) - 1;
}

std::size_t ClipTimes::held(std::int64_t n, int per_second) const {
  return shown(n * tick_den, per_second);
}

std::size_t ClipTimes::looped(std::int64_t n, int per_second) const {
  return shown(n * tick_den % length(per_second), per_second);
}

std::size_t ClipTimes::looped_until(std::int64_t n, std::int64_t last, int per_second) const {
  if (n <= last) return looped(n, per_second);
  const std::int64_t at = last * tick_den;
  const std::int64_t loop_start = at - at % length(per_second);
  return shown(n * tick_den - loop_start, per_second);
}

}  // namespace pytoon::media
