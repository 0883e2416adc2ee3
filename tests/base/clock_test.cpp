#include "base/clock.h"

#include <gtest/gtest.h>

namespace pytoon {

TEST(Iso8601, IsUtcWithMicroseconds) {
  EXPECT_EQ(iso8601(WallTime(std::chrono::microseconds(1'700'000'000'000'001))),
            "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(iso8601(WallTime(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

}  // namespace pytoon
