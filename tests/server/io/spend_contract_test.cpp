// What every database promises to engines that cost money (engines/remote/spend_ledger.h).
#include <algorithm>
#include <thread>

#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using engines::Purchase;
using engines::SpendCaps;
using State = Purchase::State;

namespace {

constexpr SpendCaps kCaps{1000, 2500};
constexpr std::chrono::hours kDay{24};

State state_of(engines::SpendLedger& ledger, const std::string& key, const std::string& job = "a") {
  const Result<Purchase> purchase = ledger.reserve({key, job, 100}, kCaps);
  EXPECT_TRUE(purchase) << purchase.failure().detail;
  return purchase ? purchase->state : State::kNew;
}

testing::AssertionResult over_cap(const Result<Purchase>& purchase, const std::string& words) {
  if (purchase) return testing::AssertionFailure() << "it was reserved";
  const Failure& fault = purchase.failure();
  if (fault.kind != FailureKind::kForbidden || fault.detail != words) {
    return testing::AssertionFailure() << fault.detail;
  }
  return testing::AssertionSuccess();
}

}  // namespace

TEST_P(StoreContract, APurchaseIsReservedOnceAndKeepsItsState) {
  EXPECT_EQ(state_of(*store_, "k"), State::kNew);
  EXPECT_EQ(state_of(*store_, "k"), State::kAsked);
  EXPECT_EQ(*store_->spent_today_micro_usd(), 100) << "counted once";
  ASSERT_TRUE(store_->ordered("k", "order-7"));
  ASSERT_TRUE(store_->released("k")) << "what was ordered is not given back";
  const Purchase ordered = *store_->reserve({"k", "a", 100}, kCaps);
  EXPECT_EQ(ordered.state, State::kOrdered);
  EXPECT_EQ(ordered.remote_id, "order-7");
  ASSERT_TRUE(store_->ended("k"));
  EXPECT_EQ(state_of(*store_, "k"), State::kEnded);
  EXPECT_EQ(*store_->spent_today_micro_usd(), 100);
  EXPECT_EQ(store_->ordered("other", "x").failure().kind, FailureKind::kInternal);
  EXPECT_EQ(store_->ended("other").failure().kind, FailureKind::kInternal);
}

TEST_P(StoreContract, WhatIsReleasedIsNotSpent) {
  ASSERT_TRUE(store_->reserve({"k", "a", 1000}, kCaps));
  EXPECT_FALSE(store_->reserve({"l", "a", 1}, kCaps));
  ASSERT_TRUE(store_->released("k"));
  ASSERT_TRUE(store_->released("k")) << "twice does no more than once";
  EXPECT_EQ(*store_->spent_today_micro_usd(), 0);
  EXPECT_EQ(store_->reserve({"k", "a", 1000}, kCaps)->state, State::kNew);
}

TEST_P(StoreContract, NoCapIsPassed) {
  ASSERT_TRUE(store_->reserve({"1", "a", 600'000}, {1'000'000, 1'500'000}));
  EXPECT_TRUE(over_cap(store_->reserve({"2", "a", 500'000}, {1'000'000, 1'500'000}),
                       "the job would spend more than 1.00 USD"));
  EXPECT_EQ(*store_->spent_today_micro_usd(), 600'000) << "what is refused leaves no trace";
  ASSERT_TRUE(store_->reserve({"2", "a", 400'000}, {1'000'000, 1'500'000}));
  ASSERT_TRUE(store_->reserve({"3", "b", 500'000}, {1'000'000, 1'500'000}));
  EXPECT_TRUE(over_cap(store_->reserve({"4", "c", 1}, {1'000'000, 1'500'000}),
                       "today more than 1.50 USD would be spent"));
  EXPECT_TRUE(store_->reserve({"1", "a", 600'000}, {0, 0})) << "it was reserved before";
  EXPECT_TRUE(store_->reserve({"free", "a", 0}, {0, 0})) << "what costs nothing breaks no cap";
}

TEST_P(StoreContract, ADayEndsWithItsMoneyAJobDoesNot) {
  ASSERT_TRUE(store_->reserve({"1", "a", 1000}, {1000, 1000}));
  EXPECT_FALSE(store_->reserve({"2", "b", 1}, {1000, 1000}));
  advance(kDay);
  EXPECT_EQ(*store_->spent_today_micro_usd(), 0);
  ASSERT_TRUE(store_->reserve({"2", "b", 400}, {1000, 1000}));
  EXPECT_FALSE(store_->reserve({"3", "a", 1}, {1000, 1000})) << "of the job";
  ASSERT_TRUE(store_->released("1"));
  EXPECT_EQ(*store_->spent_today_micro_usd(), 400) << "yesterday's goes back to yesterday";
  EXPECT_TRUE(store_->reserve({"3", "a", 600}, {1000, 1000}));
}

// Twelve workers, each with money for itself alone: the day's cap holds for all of them.
TEST_P(StoreContract, ManyAtOnceSpendNoMoreThanTheCaps) {
  constexpr int kThreads = 12;
  constexpr int kOrders = 10;
  std::atomic<int> taken{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < kOrders; ++n) {
        const std::string job = std::to_string(n % 4);
        const std::string key = std::to_string(i) + "/" + std::to_string(n);
        const Result<Purchase> purchase = store_->reserve({key, job, 100}, kCaps);
        if (purchase) {
          ++taken;
        } else {
          EXPECT_EQ(purchase.failure().kind, FailureKind::kForbidden) << purchase.failure().detail;
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 25) << "2500 a day, 100 each";
  EXPECT_EQ(refused, kThreads * kOrders - 25);
  EXPECT_EQ(*store_->spent_today_micro_usd(), 2500);
}

TEST_P(StoreContract, OfManyThatReserveTheSameOneIsNew) {
  std::atomic<int> fresh{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) {
        const auto purchase = store_->reserve({"k" + std::to_string(n), "a", 100}, kCaps);
        EXPECT_TRUE(purchase);
        if (purchase && purchase->state == State::kNew) ++fresh;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fresh, 5);
  EXPECT_EQ(*store_->spent_today_micro_usd(), 500);
}

TEST_P(StoreContract, ReservingAndReleasingAtOnceAddsUp) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) {
        const std::string key = std::to_string(i) + "/" + std::to_string(n);
        EXPECT_TRUE(store_->reserve({key, "a", 100}, {10'000, 10'000}));
        if (n > 0) {
          EXPECT_TRUE(store_->released(key));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*store_->spent_today_micro_usd(), 800);
}

TEST_P(StoreContract, OldPurchasesAreForgottenUnlessTheirJobIsOnItsWay) {
  create("live");
  ASSERT_TRUE(store_->reserve({"1", "gone", 100}, kCaps));
  ASSERT_TRUE(store_->reserve({"2", "live", 100}, kCaps));
  EXPECT_EQ(*store_->purge_rows(jobs::RowKind::kPurchase, kDay, 10), 0);
  advance(2 * kDay);
  ASSERT_TRUE(store_->reserve({"3", "gone", 100}, kCaps));
  EXPECT_EQ(*store_->purge_rows(jobs::RowKind::kPurchase, kDay, 10), 1);
  EXPECT_EQ(state_of(*store_, "1", "gone"), State::kNew);
  EXPECT_EQ(state_of(*store_, "2", "live"), State::kAsked);
  EXPECT_EQ(state_of(*store_, "3", "gone"), State::kAsked);
}

}  // namespace pytoon::testing_support
