// When each frame of a clip is shown, exactly. Times are whole ticks of the track's time base,
// counted from the first frame that is shown: what the file says about a gap before it is left out.
//
// A frame is shown from its time until the next one's, the last until the end. Files round times to
// ticks, so a frame counts from half a tick before its time: at 30 frames a second and ticks of a
// millisecond, frame 2 (67 ms) is the one at 2/30 s.
//
// Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pytoon::media {

struct ClipTimes {
  std::int64_t tick_num = 1;  // seconds a tick = tick_num / tick_den
  std::int64_t tick_den = 1;
  std::vector<std::int64_t> starts;  // ascending, from 0; never empty
  std::int64_t end = 0;              // after the last start

  // The frame shown at n / per_second seconds; before the start the first, after the end the last.
  std::size_t held(std::int64_t n, int per_second) const;
  // The same of a clip that begins again whenever it ends.
  std::size_t looped(std::int64_t n, int per_second) const;
  // From `last` on the clip no longer begins again: it goes on to its end and stands still there.
  std::size_t looped_until(std::int64_t n, std::int64_t last, int per_second) const;

  double seconds() const {
    return static_cast<double>(end) * static_cast<double>(tick_num) / static_cast<double>(tick_den);
  }

 private:
  // at: in units of 1 / (per_second * tick_den) s.
  std::size_t shown(std::int64_t at, int per_second) const;
  std::int64_t length(int per_second) const { return end * tick_num * per_second; }
};

}  // namespace pytoon::media
