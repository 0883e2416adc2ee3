#include "base/result.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pytoon {

TEST(FailureTable, IsInTheOrderOfTheKinds) {
  std::set<std::string_view> labels;
  for (std::size_t kind = 0; kind < kFailureKinds; ++kind) {
    const FailureTraits& row = traits(static_cast<FailureKind>(kind));
    EXPECT_EQ(static_cast<std::size_t>(row.kind), kind) << row.label;
    EXPECT_FALSE(row.label.empty()) << kind;
    EXPECT_FALSE(row.title.empty()) << row.label;
    labels.insert(row.label);
  }
  EXPECT_EQ(labels.size(), kFailureKinds) << "two kinds have one metric label";
}

// The columns can't contradict each other: a client is told that it is to blame exactly when it is,
// and what it may simply send again is never its fault.
TEST(FailureTable, ItsColumnsAgree) {
  for (const FailureTraits& row : kFailureTable) {
    EXPECT_GE(row.http_status, 400) << row.label;
    EXPECT_LT(row.http_status, 600) << row.label;
    const bool client_error = row.http_status < 500 && row.http_status != 429;
    EXPECT_EQ(row.blame == Blame::kInput, client_error) << row.label;
    if (row.blame == Blame::kInput || row.blame == Blame::kOurs) {
      EXPECT_FALSE(row.may_pass()) << row.label;
    }
    // Work that a broken process could not do is another process's: it must not cost an attempt.
    EXPECT_TRUE(row.process_usable || row.transient()) << row.label;
  }
}

TEST(FailureTable, OnlyALostDeviceNeedsANewProcess) {
  for (const FailureTraits& row : kFailureTable) {
    EXPECT_EQ(row.process_usable, row.kind != FailureKind::kDeviceLost) << row.label;
  }
}

TEST(FailureTable, TransportFailuresAreThoseOfAPeerThatMayAnswerYet) {
  std::set<FailureKind> found;
  for (const FailureTraits& row : kFailureTable) {
    if (is_transport_failure(row.kind)) found.insert(row.kind);
  }
  const std::set<FailureKind> expected{FailureKind::kUnavailable, FailureKind::kTimeout,
                                       FailureKind::kBadResponse, FailureKind::kRateLimited};
  EXPECT_EQ(found, expected);
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
