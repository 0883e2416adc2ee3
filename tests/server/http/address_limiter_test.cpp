#include "server/http/address_limiter.h"

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

TEST(AddressLimiter, EachAddressHasABucketOfItsOwn) {
  HandClock clock;
  AddressLimiter limiter(clock, {.per_second = 0.5, .burst = 2});
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_EQ(limiter.take("10.0.0.1"), 2);
  EXPECT_FALSE(limiter.take("10.0.0.2"));
  clock.sleep_for(std::chrono::seconds(2));
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_TRUE(limiter.take("10.0.0.1"));
}

TEST(AddressLimiter, ManyAddressesTakeBoundedMemoryAndThoseThatRestAreForgotten) {
  HandClock clock;
  AddressLimiter limiter(clock, {.per_second = 1, .burst = 2});
  const auto from_many = [&] {
    for (int i = 0; i < 30'000; ++i) (void)limiter.take("a" + std::to_string(i));
  };
  from_many();
  EXPECT_LE(limiter.remembered(), 10'001U);
  EXPECT_TRUE(limiter.take("not seen yet")) << "those that find no room share one bucket";
  EXPECT_FALSE(limiter.take("a1")) << "who was there before has his own still";
  clock.sleep_for(std::chrono::seconds(3));
  EXPECT_FALSE(limiter.take("not seen yet"));
  EXPECT_LE(limiter.remembered(), 2U);
}

}  // namespace
}  // namespace pytoon::http
