#include "pipeline/media/clip/clip_times.h"

#include <gtest/gtest.h>

namespace pytoon::media {
namespace {

ClipTimes milliseconds(std::vector<std::int64_t> starts, std::int64_t end) {
  return {1, 1000, std::move(starts), end};
}

TEST(ClipTimes, AFrameIsShownFromItsTimeUntilTheNext) {
  const ClipTimes times = milliseconds({0, 200, 300}, 400);
  EXPECT_EQ(times.held(0, 10), 0U);
  EXPECT_EQ(times.held(1, 10), 0U);
  EXPECT_EQ(times.held(2, 10), 1U);
  EXPECT_EQ(times.held(3, 10), 2U);
  EXPECT_EQ(times.held(999, 10), 2U);
  EXPECT_EQ(times.held(-5, 10), 0U);
}

TEST(ClipTimes, RoundingToTicksMovesNoFrame) {
  ClipTimes times = milliseconds({}, 0);
  for (int i = 0; i < 3600; ++i) times.starts.push_back((i * 1000 + 15) / 30);  // rounded
  times.end = 120'000;
  for (int i = 0; i < 3600; ++i) ASSERT_EQ(times.held(i, 30), static_cast<std::size_t>(i));
}

TEST(ClipTimes, ALoopBeginsAgainWhereTheLastFrameEnds) {
  const ClipTimes times = milliseconds({0, 100, 200}, 250);
  EXPECT_EQ(times.looped(24, 100), 2U);
  EXPECT_EQ(times.looped(25, 100), 0U);
  EXPECT_EQ(times.looped(35, 100), 1U);
  EXPECT_EQ(times.looped(25 * 1000 + 12, 100), 1U);
}

TEST(ClipTimes, AfterItsLastLoopAClipGoesOnToItsEndAndStands) {
  const ClipTimes times = milliseconds({0, 100, 200}, 300);
  EXPECT_EQ(times.looped_until(4, 4, 10), 1U);
  EXPECT_EQ(times.looped_until(5, 4, 10), 2U);
  EXPECT_EQ(times.looped_until(6, 4, 10), 2U);  // a loop would begin again here
  EXPECT_EQ(times.looped_until(60, 4, 10), 2U);
  EXPECT_EQ(times.looped_until(6, 5, 10), 2U);
  EXPECT_EQ(times.looped_until(3, 8, 10), 0U);
}

TEST(ClipTimes, OneFrameIsAClipToo) {
  const ClipTimes times = milliseconds({0}, 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(times.looped(i, 30), 0U);
}

}  // namespace
}  // namespace pytoon::media
