// Time, handed in. No other file may call now() or sleep: tests and the simulator replace this.
//
// Thread rule: any thread. Reading takes nanoseconds; a sleep blocks and can not be cut short.
#pragma once

#include <chrono>
#include <string>

namespace pytoon {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;           // UTC; may jump and go back
  virtual SteadyTime steady_now() const = 0;  // for deadlines and durations
  virtual void sleep_for(std::chrono::milliseconds duration) = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady_now() const override;
  void sleep_for(std::chrono::milliseconds duration) override;
};

// "2026-01-31T23:59:59.123456Z"
std::string iso8601(WallTime time);

// Seconds, or any fraction, as people read them: in thousandths.
double in_thousandths(double value);

}  // namespace pytoon
