#include "server/jobs/admission/generation_queue.h"

#include <gtest/gtest.h>

#include "server/jobs/admission/gpu_state.h"

namespace pytoon::jobs::admission {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kNow{seconds(1'000'000)};
constexpr milliseconds kSilence{10'000};

GpuState card(Bytes total, std::vector<Promise> promises = {}) {
  GpuState state;
  state.sample.at = kNow - seconds(1);
  state.sample.total = total;
  state.sample.endpoint.state = EndpointSample::State::kIdle;
  state.promises = std::move(promises);
  return state;
}

Promise prompt(const std::string& task, seconds rest) {
  Promise promise;
  promise.task = task;
  promise.lane = Lane::kGenerate;
  promise.ends_at = kNow + rest;
  return promise;
}

QueuedGeneration waits(const std::string& task, int priority, seconds since, seconds run) {
  return {task, priority, kNow - since, run};
}

const QueuedGeneration kMine = waits("mine", 1, seconds(100), seconds(60));

CardQueue queue(std::vector<QueuedGeneration> waiting, std::vector<GpuState> cards,
                Bytes structural = kGiB) {
  return queue_for(kMine, structural, waiting, cards, kSilence, kNow);
}

TEST(GenerationQueueTest, OlderAndMoreUrgentOnesAreWaitedForTheOthersWaitBehind) {
  const CardQueue found = queue(
      {waits("older", 1, seconds(101), seconds(30)), waits("urgent", 2, seconds(1), seconds(20)),
       waits("younger", 1, seconds(99), seconds(500)),
       waits("patient", 0, seconds(900), seconds(500))},
      {card(24 * kGiB)});
  EXPECT_EQ(found.cards, 1);
  EXPECT_EQ(found.queued, seconds(50));
  EXPECT_EQ(found.behind, 2);
}

TEST(GenerationQueueTest, AnUnknownRunTimeIsTakenToBeOnesOwn) {
  EXPECT_EQ(queue({waits("older", 1, seconds(101), seconds(0))}, {card(24 * kGiB)}).queued,
            seconds(60));
}

TEST(GenerationQueueTest, EachTaskCountsOnceAndOneThatRunsDoesNotWait) {
  const CardQueue found =
      queue({kMine, waits("runs", 1, seconds(200), seconds(60)),
             waits("a", 1, seconds(200), seconds(5)), waits("a", 1, seconds(200), seconds(60))},
            {card(24 * kGiB, {prompt("runs", seconds(7)), prompt("late", seconds(-3))})});
  EXPECT_EQ(found.queued, seconds(12));
  EXPECT_EQ(found.behind, 0);
}

TEST(GenerationQueueTest, OnlyCardsThatCouldHoldItCount) {
  GpuState silent = card(24 * kGiB);
  silent.sample.at = kNow - seconds(11);
  GpuState without = card(24 * kGiB);
  without.sample.endpoint.state = EndpointSample::State::kAbsent;
  const CardQueue found = queue({},
                                {card(24 * kGiB, {prompt("a", seconds(5))}),
                                 card(8 * kGiB, {prompt("b", seconds(9))}), silent, without},
                                16 * kGiB);
  EXPECT_EQ(found.cards, 1);
  EXPECT_EQ(found.queued, seconds(5));
}

}  // namespace
}  // namespace pytoon::jobs::admission
