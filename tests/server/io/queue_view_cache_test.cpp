#include "server/io/queue_view_cache.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "tests/server/jobs/samples.h"

namespace pytoon::io {
namespace {
using std::chrono::milliseconds;

// Answers with so many queued jobs; each question takes `cost`.
class QueueOf final : public SqlSession {
 public:
  explicit QueueOf(testing_support::HandClock& clock) : clock_(clock) {}

  Rows query_with(std::string_view /*sql*/, std::span<const Param> /*params*/) override {
    ++asked;
    if (away) throw DatabaseError(FailureKind::kUnavailable, "away");
    if (meanwhile) meanwhile();
    clock_.advance(cost);
    Rows rows;
    for (std::int64_t i = 0; i < jobs; ++i) {
      rows.emplace_back(std::vector<Value>{std::int64_t{5}, i, std::string("acme"), std::int64_t{1},
                                           std::int64_t{1}});
    }
    return rows;
  }
  std::int64_t run_with(std::string_view /*sql*/, std::span<const Param> /*params*/) override {
    return 0;
  }
  std::int64_t now() override { return 0; }
  std::int64_t next_epoch() override { return 0; }

  std::int64_t jobs = 0;
  milliseconds cost{3};
  int asked = 0;
  bool away = false;
  std::function<void()> meanwhile;

 private:
  testing_support::HandClock& clock_;
};

class QueueViewCacheTest : public testing::Test {
 protected:
  std::int64_t next_position() {
    return cache_.of(session_)->position({0, 0});  // behind all
  }

  testing_support::HandClock clock_;
  QueueOf session_{clock_};
  QueueViewCache cache_{clock_};
};

TEST_F(QueueViewCacheTest, AShortQueueIsReadEachTime) {
  session_.jobs = 199;
  EXPECT_EQ(next_position(), 200);
  session_.jobs = 3;
  EXPECT_EQ(next_position(), 4);
  EXPECT_EQ(session_.asked, 2);
}

TEST_F(QueueViewCacheTest, ALongOneIsKeptForTwentyTimesItsCost) {
  session_.jobs = 2000;
  EXPECT_EQ(next_position(), 2001);
  session_.jobs = 1000;
  clock_.advance(milliseconds(59));
  EXPECT_EQ(next_position(), 2001);
  EXPECT_EQ(session_.asked, 1);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(next_position(), 1001);
}

TEST_F(QueueViewCacheTest, NoViewIsKeptForLongerThanTwoSeconds) {
  session_.jobs = 2000;
  session_.cost = milliseconds(500);
  next_position();
  clock_.advance(milliseconds(1999));
  next_position();
  EXPECT_EQ(session_.asked, 1);
  clock_.advance(milliseconds(1));
  next_position();
  EXPECT_EQ(session_.asked, 2);
}

TEST_F(QueueViewCacheTest, WhileOneReadsTheOthersTakeTheLastUnlessItIsTooOld) {
  session_.jobs = 2000;
  next_position();
  clock_.advance(milliseconds(100));
  QueueOf other(clock_);
  session_.meanwhile = [&] { EXPECT_EQ(cache_.of(other)->size(), 2000U); };
  session_.jobs = 10;
  EXPECT_EQ(next_position(), 11);
  EXPECT_EQ(other.asked, 0);
  clock_.advance(std::chrono::seconds(3));
  other.jobs = 7;
  session_.meanwhile = [&] { EXPECT_EQ(cache_.of(other)->size(), 7U); };
  EXPECT_EQ(next_position(), 11);
  EXPECT_EQ(other.asked, 1);
}

TEST_F(QueueViewCacheTest, WhoCanNotReadLeavesItToTheNext) {
  session_.jobs = 2000;
  next_position();
  clock_.advance(milliseconds(100));
  session_.away = true;
  EXPECT_THROW(next_position(), DatabaseError);
  session_.away = false;
  session_.jobs = 1;
  EXPECT_EQ(next_position(), 2);
}

TEST_F(QueueViewCacheTest, ManyThreadsMayLookAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      QueueOf session(clock_);
      session.jobs = 300;
      session.cost = milliseconds(1);
      for (int look = 0; look < 200; ++look) {
        EXPECT_EQ(cache_.of(session)->position({0, 0}), 301);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace pytoon::io
