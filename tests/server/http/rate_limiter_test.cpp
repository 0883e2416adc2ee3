#include "server/http/rate_limiter.h"

#include <gtest/gtest.h>

namespace pytoon::http {
namespace {

class HandClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(); }
  SteadyTime steady_now() const override { return SteadyTime(elapsed); }
  void sleep_for(std::chrono::milliseconds duration) override { elapsed += duration; }
  std::chrono::milliseconds elapsed{0};
};

TEST(RateLimiter, LetsABurstThroughThenTheRate) {
  HandClock clock;
  RateLimiter limiter(clock, {.per_second = 2, .burst = 3}, 2);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take(0)) << i;
  EXPECT_EQ(limiter.take(0), 1);
  EXPECT_FALSE(limiter.take(1)) << "keys have buckets of their own";
  clock.sleep_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(limiter.take(0));
  EXPECT_TRUE(limiter.take(0));
  clock.sleep_for(std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take(0)) << "a rest refills the burst only";
  EXPECT_TRUE(limiter.take(0));
}

TEST(RateLimiter, SaysHowLongToWait) {
  HandClock clock;
  RateLimiter limiter(clock, {.per_second = 0.1, .burst = 1}, 1);
  EXPECT_FALSE(limiter.take(0));
  EXPECT_EQ(limiter.take(0), 10);
}

}  // namespace
}  // namespace pytoon::http
