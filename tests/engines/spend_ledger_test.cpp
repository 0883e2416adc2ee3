#include "engines/remote/spend_ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using State = Purchase::State;

class DayClock final : public Clock {
 public:
  WallTime now() const override { return wall; }
  SteadyTime steady_now() const override { return {}; }
  void sleep_for(std::chrono::milliseconds) override {}
  WallTime wall{std::chrono::hours(24 * 20'000)};
};

class FileLedgerTest : public testing::Test {
 protected:
  std::unique_ptr<FileLedger> open() {
    auto ledger = FileLedger::open(folder_ / "data" / "spend.jsonl", clock_, {1000, 2000});
    EXPECT_TRUE(ledger) << ledger.failure().detail;
    return std::move(*ledger);
  }
  State state_of(SpendLedger& ledger, const std::string& key) {
    const Result<Purchase> purchase = ledger.begin(key, "job", 0);
    EXPECT_TRUE(purchase);
    return purchase->state;
  }

  DayClock clock_;
  const support::TemporaryFolder temporary_{"pytoon-ledger"};
  const fs::path& folder_ = temporary_.path();
};

TEST_F(FileLedgerTest, RemembersEveryStateOverARestart) {
  {
    const auto ledger = open();
    for (const char* key : {"asked", "ordered", "ended", "released"}) {
      ASSERT_EQ(state_of(*ledger, key), State::kNew);
      ASSERT_EQ(state_of(*ledger, key), State::kAsked);
    }
    ASSERT_TRUE(ledger->ordered("ordered", "id-7"));
    ASSERT_TRUE(ledger->ended("ended"));
    ASSERT_TRUE(ledger->released("released"));
  }
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto ledger = open();
    EXPECT_EQ(state_of(*ledger, "asked"), State::kAsked);
    EXPECT_EQ(ledger->begin("ordered", "job", 0)->remote_id, "id-7");
    EXPECT_EQ(state_of(*ledger, "ended"), State::kEnded);
  }
  EXPECT_EQ(state_of(*open(), "released"), State::kNew);
}

TEST_F(FileLedgerTest, ATornLineIsDroppedAndSwallowsNothing) {
  {
    const auto ledger = open();
    ASSERT_EQ(state_of(*ledger, "a"), State::kNew);
    std::ofstream(folder_ / "data" / "spend.jsonl", std::ios::app) << "{\"key\":\"b\",\"sta";
    ASSERT_EQ(state_of(*ledger, "c"), State::kNew);
  }
  const auto ledger = open();
  EXPECT_EQ(state_of(*ledger, "a"), State::kAsked);
  EXPECT_EQ(state_of(*ledger, "b"), State::kNew);
  EXPECT_EQ(state_of(*ledger, "c"), State::kAsked);
}

TEST_F(FileLedgerTest, CapsHoldOverARestartAndANewDayIsNew) {
  EXPECT_TRUE(open()->begin("a", "job-1", 1000));
  EXPECT_TRUE(open()->begin("b", "job-2", 1000));
  EXPECT_EQ(open()->begin("c", "job-3", 1).failure().kind, FailureKind::kForbidden);
  clock_.wall += std::chrono::hours(24);
  EXPECT_TRUE(open()->begin("c", "job-3", 1));
  // The job's own cap knows no days.
  EXPECT_EQ(open()->begin("d", "job-1", 1).failure().kind, FailureKind::kForbidden);
}

TEST_F(FileLedgerTest, WhatIsReleasedIsNotSpent) {
  const auto ledger = open();
  ASSERT_TRUE(ledger->begin("a", "job-1", 1000));
  ASSERT_FALSE(ledger->begin("b", "job-1", 1000));
  ASSERT_TRUE(ledger->released("a"));
  EXPECT_TRUE(ledger->begin("b", "job-1", 1000));
}

TEST_F(FileLedgerTest, AJournalThatCantBeWrittenOrdersNothing) {
  const auto ledger = open();
  fs::remove_all(folder_ / "data");
  const Result<Purchase> purchase = ledger->begin("a", "job", 1);
  ASSERT_FALSE(purchase);
  EXPECT_EQ(purchase.failure().kind, FailureKind::kNotFound);
}

}  // namespace
}  // namespace pytoon::engines
