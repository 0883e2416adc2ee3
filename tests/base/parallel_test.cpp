#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <vector>

namespace pytoon {
namespace {

TEST(RowBands, CoverEveryRowOnce) {
  for (const int rows : {0, 1, 63, 64, 127, 128, 1000, 1920, 4096}) {
    std::vector<int> seen(static_cast<std::size_t>(rows));
    in_row_bands(rows, [&](int first, int last) {
      for (int y = first; y < last; ++y) ++seen[static_cast<std::size_t>(y)];
    });
    EXPECT_EQ(std::ranges::count(seen, 1), rows);
  }
}

TEST(InParallel, EachIsDoneOnceAndNoMoreAtATimeThanAsked) {
  for (const int at_once : {1, 2, 100}) {
    std::vector<std::atomic<int>> done(50);
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    std::latch both(2);  // where two may run, the first two wait for each other
    in_parallel(50, at_once, [&](int index) {
      const int running = ++now;
      for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
      }
      if (at_once > 1 && index < 2) both.arrive_and_wait();
      ++done[static_cast<std::size_t>(index)];
      --now;
    });
    for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
    EXPECT_LE(most, at_once);
  }
  in_parallel(0, 4, [](int) { FAIL(); });
}

TEST(InParallel, GivesTheCallerWhatOneThrewWhenTheOthersHaveEnded) {
  std::atomic<int> done{0};
  EXPECT_THROW(in_parallel(8, 4,
                           [&](int index) {
                             if (index == 7) throw std::runtime_error("the last");
                             ++done;
                           }),
               std::runtime_error);
  EXPECT_EQ(done, 7);
}

TEST(RowBands, GiveTheCallerWhatTheyThrow) {
  EXPECT_THROW(in_row_bands(1000,
                            [](int, int last) {
                              if (last == 1000) throw std::runtime_error("the last band");
                            }),
               std::runtime_error);
}

}  // namespace
}  // namespace pytoon
