#include "base/result.h"

#include <gtest/gtest.h>

namespace pytoon {

TEST(FailureTable, EveryKindHasARow) {
  for (int kind = 0; kind <= static_cast<int>(FailureKind::kInternal); ++kind) {
    const FailureTraits& row = traits(static_cast<FailureKind>(kind));
    EXPECT_FALSE(row.label.empty());
    EXPECT_GE(row.http_status, 400);
    EXPECT_LT(row.http_status, 600);
  }
}

TEST(Result, HoldsAValueOrAFailure) {
  const Result<int> good(3);
  const Result<int> bad(invalid_field("/seed", "too large"));
  EXPECT_EQ(*good, 3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.failure().faults.at(0).pointer, "/seed");
}

TEST(ResultDeathTest, ReadingAFailedResultAborts) {
  const Result<int> bad(failure(FailureKind::kIo, "disk on fire"));
  EXPECT_DEATH(static_cast<void>(*bad), "disk on fire");
}

}  // namespace pytoon
