#include "pipeline/media/encoder_sessions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pytoon::media {

EncoderSessions::Session take(EncoderSessions& sessions) {
  auto taken = sessions.acquire({});
  EXPECT_TRUE(taken);
  return std::move(*taken);
}

TEST(EncoderSessions, CountsWhatIsOpen) {
  EncoderSessions sessions(2);
  {
    const auto first = take(sessions);
    const auto second = take(sessions);
    EXPECT_EQ(sessions.open(), 2);
  }
  EXPECT_EQ(sessions.open(), 0);
}

TEST(EncoderSessions, AWaiterGoesOnWhenOneIsGivenBack) {
  EncoderSessions sessions(1);
  auto held = take(sessions);
  std::atomic<bool> through{false};
  std::jthread waiter([&] {
    const auto mine = take(sessions);
    through = true;
  });
  EXPECT_FALSE(through);
  held = {};
  waiter.join();
  EXPECT_TRUE(through);
  EXPECT_EQ(sessions.open(), 0);
}

TEST(EncoderSessions, ACancelledWaitEnds) {
  EncoderSessions sessions(1);
  const auto held = take(sessions);
  const CancelToken cancel;
  cancel.cancel();
  const auto refused = sessions.acquire(cancel);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kCancelled);
  EXPECT_EQ(sessions.open(), 1);
}

TEST(EncoderSessions, ARefusalTeachesTheLimitUntilAllAreClosed) {
  EncoderSessions sessions(0);
  auto first = take(sessions);
  auto second = take(sessions);
  EXPECT_TRUE(sessions.retreat(take(sessions)));
  EXPECT_EQ(sessions.open(), 2);
  EXPECT_EQ(sessions.limit(), 2);
  first = {};
  EXPECT_EQ(sessions.limit(), 2);
  second = {};
  EXPECT_EQ(sessions.limit(), std::numeric_limits<int>::max());
}

TEST(EncoderSessions, RefusedAloneThereIsNothingToWaitFor) {
  EncoderSessions sessions(3);
  EXPECT_FALSE(sessions.retreat(take(sessions)));
  EXPECT_EQ(sessions.open(), 0);
  EXPECT_EQ(sessions.limit(), 3);
}

}  // namespace pytoon::media
