#include "base/backoff.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace pytoon {
using std::chrono::milliseconds;

constexpr BackoffLimits kLimits{milliseconds(100), milliseconds(1000)};

TEST(Backoff, DoublesUpToItsCapAndTakesAtLeastHalfOfEachWait) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff(kLimits, seed);
    for (const int whole : {100, 200, 400, 800, 1000, 1000}) {
      const milliseconds wait = backoff.next();
      EXPECT_GE(wait.count(), whole / 2) << seed;
      EXPECT_LE(wait.count(), whole) << seed;
    }
  }
}

TEST(Backoff, StaysAtItsCapHoweverOftenItFails) {
  Backoff backoff(kLimits, 1);
  for (int i = 0; i < 10'000; ++i) ASSERT_LE(backoff.next(), kLimits.most) << i;
}

TEST(Backoff, BeginsAgainAfterASuccess) {
  Backoff backoff(kLimits, 1);
  for (int i = 0; i < 5; ++i) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), kLimits.first);
}

TEST(Backoff, TheSeedDecidesAndNeighboursSpread) {
  Backoff one(kLimits, seed_from("one"));
  Backoff same(kLimits, seed_from("one"));
  EXPECT_EQ(one.next(), same.next());
  std::set<std::int64_t> waits;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    waits.insert(Backoff(kLimits, seed).next().count());
  EXPECT_GT(waits.size(), 25U) << "a crowd comes back at once";
}

}  // namespace pytoon
