#include "pipeline/render/piece_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <semaphore>

namespace pytoon::render {
namespace {
using media::PieceWork;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr std::chrono::seconds kLong{20};

PieceWork work_of(std::vector<int> frames, std::function<Status(int)> encode) {
  PieceWork work;
  work.frames = std::move(frames);
  work.encode = [encode = std::move(encode)](int piece, const CancelToken&) {
    return encode(piece);
  };
  return work;
}

// A piece that goes on until it is told to stop.
Status until_stopped(const CancelToken& stop) {
  while (!stop.cancelled()) std::this_thread::yield();
  return failure(FailureKind::kCancelled, "told to stop");
}

// What was begun, in order.
class Begun {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(what);
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

TEST(PiecePool, EncodesEachPieceOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    PiecePool pool(threads);
    std::array<std::atomic<int>, 20> times{};
    const auto work = work_of(std::vector<int>(20, 45), [&](int piece) {
      ++times.at(static_cast<std::size_t>(piece));
      return ok_status();
    });
    ASSERT_TRUE(pool.run(work));
    for (const auto& count : times) EXPECT_EQ(count, 1);
    EXPECT_EQ(pool.waiting(), 0);
  }
}

// Every piece waits until all are in work: only with all threads it gets through.
TEST(PiecePool, OneSegmentHasAllThreads) {
  PiecePool pool(4);
  std::latch together(4);
  ASSERT_TRUE(pool.run(work_of({45, 45, 45, 45}, [&](int) {
    together.arrive_and_wait();
    return ok_status();
  })));
}

TEST(PiecePool, OfOneSegmentNoMoreThanItsLimitAtOnce) {
  PiecePool pool(8);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  PieceWork work = work_of(std::vector<int>(40, 10), [&](int) {
    int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    --now;
    return ok_status();
  });
  work.at_once = 3;
  ASSERT_TRUE(pool.run(work));
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 3);
}

TEST(PiecePool, LongPiecesGoFirstAndElseInOrder) {
  PiecePool pool(1);
  Begun begun;
  ASSERT_TRUE(pool.run(work_of({30, 45, 45, 20}, [&](int piece) {
    begun.add(std::to_string(piece));
    return ok_status();
  })));
  EXPECT_THAT(begun.all(), ElementsAre("1", "2", "0", "3"));
}

// Two segments on two threads: each has one, however many pieces the first brought.
TEST(PiecePool, SegmentsShareTheThreads) {
  PiecePool pool(2);
  Begun begun;
  std::counting_semaphore<> held(0);
  std::counting_semaphore<> release(0);
  std::counting_semaphore<> second_began(0);
  std::jthread first([&] {
    EXPECT_TRUE(pool.run(work_of(std::vector<int>(6, 45), [&](int piece) {
      begun.add("a");
      if (piece < 2) {  // both threads: until the second segment is in the queue
        held.release();
        EXPECT_TRUE(release.try_acquire_for(kLong));
      }
      return ok_status();
    })));
  });
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(held.try_acquire_for(kLong));
  std::jthread second([&] {
    EXPECT_TRUE(pool.run(work_of({10, 10}, [&](int) {
      begun.add("b");
      second_began.release();
      return ok_status();
    })));
  });
  while (pool.waiting() < 6) std::this_thread::yield();  // four of the first, two of the second
  release.release();                                     // one thread
  EXPECT_TRUE(second_began.try_acquire_for(kLong));
  release.release();
  first.join();
  second.join();
  const std::vector<std::string> all = begun.all();
  ASSERT_EQ(all.size(), 8U);
  // The thread that is free first takes one of the second, which has none in work.
  EXPECT_EQ(all[2], "b");
}

TEST(PiecePool, TheFirstFailureIsTheAnswerAndStopsTheOthers) {
  PiecePool pool(2);
  std::latch together(2);
  std::atomic<int> begun{0};
  PieceWork work;
  work.frames = std::vector<int>(10, 45);
  work.encode = [&](int piece, const CancelToken& stop) -> Status {
    ++begun;
    if (piece < 2) together.arrive_and_wait();
    if (piece == 1) return failure(FailureKind::kMalformed, "the image ends");
    return until_stopped(stop);
  };
  const Status done = pool.run(work);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kMalformed);
  EXPECT_EQ(begun, 2);
  EXPECT_FALSE(work.cancel.cancelled()) << "the caller's token is the caller's";
}

TEST(PiecePool, AnExceptionIsAFailure) {
  PiecePool pool(1);
  const Status done =
      pool.run(work_of({45}, [](int) -> Status { throw std::runtime_error("boom"); }));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kInternal);
}

TEST(PiecePool, CancellingStopsWhatIsInWorkAndBeginsNoMore) {
  PiecePool pool(1);
  std::atomic<int> begun{0};
  PieceWork work;
  work.frames = {45, 45, 45};
  work.encode = [&](int, const CancelToken& stop) {
    ++begun;
    work.cancel.cancel();
    return until_stopped(stop);
  };
  const Status done = pool.run(work);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kCancelled);
  EXPECT_EQ(begun, 1);
}

TEST(PiecePool, ASegmentThatWaitsForAThreadHearsItsCancel) {
  PiecePool pool(1);
  std::binary_semaphore held(0);
  std::binary_semaphore release(0);
  std::jthread other([&] {
    EXPECT_TRUE(pool.run(work_of({45}, [&](int) {
      held.release();
      EXPECT_TRUE(release.try_acquire_for(kLong));
      return ok_status();
    })));
  });
  ASSERT_TRUE(held.try_acquire_for(kLong));
  PieceWork work = work_of({45}, [](int) { return ok_status(); });
  work.cancel.cancel();
  const Status done = pool.run(work);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::kCancelled);
  release.release();
}

// A piece that does not obey keeps its thread and its segment, and nobody else's.
TEST(PiecePool, AThreadThatDoesNotObeyIsReplaced) {
  PiecePool pool(1, std::chrono::milliseconds(60));
  std::binary_semaphore held(0);
  std::binary_semaphore release(0);
  PieceWork hangs = work_of({45}, [&](int) {
    held.release();
    EXPECT_TRUE(release.try_acquire_for(kLong));
    return ok_status();
  });
  std::jthread other([&] { EXPECT_FALSE(pool.run(hangs)); });
  ASSERT_TRUE(held.try_acquire_for(kLong));
  hangs.cancel.cancel();
  EXPECT_TRUE(pool.run(work_of({45}, [](int) { return ok_status(); })));
  release.release();
  other.join();
  EXPECT_TRUE(pool.run(work_of({45, 45}, [](int) { return ok_status(); })));
}

}  // namespace
}  // namespace pytoon::render
