// What every database promises of footage: it is leased by the engine that is to be asked next.
#include "server/jobs/job_trace.h"
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::LeasedTask;
using jobs::LeaseRequest;
using jobs::Segment;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

LeaseRequest hand_for(const std::vector<std::string>& engines) {
  return {"worker", {TaskKind::kFootage}, {}, engines};
}

}  // namespace

class EngineContract : public StoreContract {
 protected:
  // A job of three segments: the first for comfyui, the second for api, the third for none.
  void create_generated(const std::string& id) {
    create(id, "acme", 5, 3);
    const LeasedTask leased = lease(TaskKind::kPrepare);
    jobs::PrepareResult preparation;
    preparation.encoder = "x264";
    preparation.segments = leased.segments;
    preparation.segments[0].engine_next = "comfyui";
    preparation.segments[1].engine_next = "api";
    ASSERT_TRUE(store_->prepared(leased.lease, preparation));
  }
  static Segment segment_of(const LeasedTask& leased) {
    return leased.segments.at(static_cast<std::size_t>(leased.lease.segment));
  }
};

TEST_P(EngineContract, FootageGoesToWhoHasASlotOfItsEngine) {
  create_generated("a");
  EXPECT_FALSE(try_lease(hand_for({"other"})));
  const auto api = try_lease(hand_for({"api", "other"}));
  ASSERT_TRUE(api);
  EXPECT_EQ(api->lease.segment, 1);
  EXPECT_EQ(api->engine, "api");
  EXPECT_EQ(segment_of(*api).engine_next, "api");
  EXPECT_FALSE(try_lease(hand_for({"api"})));
  const auto none = try_lease(hand_for({}));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->lease.segment, 2);
  EXPECT_EQ(none->engine, "");
  EXPECT_EQ(try_lease(hand_for({"comfyui", "api"}))->lease.segment, 0);
}

TEST_P(EngineContract, APassedSegmentIsForTheNextEngineAtNoCost) {
  create_generated("a");
  const auto first = try_lease(hand_for({"comfyui"}));
  Segment passed = segment_of(*first);
  passed.engine_next = "api";
  passed.engine_failures = "comfyui: is down";
  ASSERT_TRUE(store_->footage_passed(first->lease, passed));
  EXPECT_TRUE(refused(store_->footage_passed(first->lease, passed))) << "it is held no more";
  EXPECT_FALSE(try_lease(hand_for({"comfyui"})));
  const auto next = try_lease(hand_for({"api"}));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->lease.segment, 0);
  EXPECT_EQ(next->engine, "api");
  EXPECT_EQ(segment_of(*next).engine_failures, "comfyui: is down");
  EXPECT_EQ(next->failures, 0);
  EXPECT_EQ(next->job.attempts, 0);
}

TEST_P(EngineContract, AnEngineThatNobodyHasAnyMoreIsWaitedForByNobody) {
  create_generated("a");
  const milliseconds patience{60'000};
  jobs::WorkerInfo worker;
  worker.worker_id = "worker";
  worker.engines = {"api"};
  jobs::WorkerInfo leaving = worker;
  leaving.worker_id = "leaving";
  leaving.engines = {"comfyui"};
  ASSERT_TRUE(store_->upsert_worker(worker));
  ASSERT_TRUE(store_->upsert_worker(leaving));
  EXPECT_TRUE(store_->release_engines(patience)->empty());
  advance(patience + milliseconds(1));
  ASSERT_TRUE(store_->upsert_worker(worker));
  const auto orphans = *store_->release_engines(patience);
  ASSERT_EQ(orphans.size(), 1U);
  EXPECT_EQ(orphans[0].job_id, "a");
  EXPECT_EQ(orphans[0].trace_id, jobs::trace_of("a", "").trace_id);
  EXPECT_TRUE(store_->release_engines(patience)->empty()) << "once is enough";
  const auto released = try_lease(hand_for({}));
  ASSERT_TRUE(released);
  EXPECT_EQ(released->lease.segment, 0);
  EXPECT_EQ(released->engine, "") << "no slot of it is held";
  EXPECT_EQ(segment_of(*released).engine_next, "comfyui") << "it is known which one is gone";
  EXPECT_EQ(try_lease(hand_for({"api"}))->lease.segment, 1);
}

// Leased or not: who has no promise of memory waits for one.
TEST_P(EngineContract, WhatAnEngineStillHasToMakeIsListedNextFirst) {
  create_generated("a");
  create_generated("b");
  create("urgent", "acme", 9, 1);
  const LeasedTask leased = lease(TaskKind::kPrepare);
  jobs::PrepareResult preparation;
  preparation.encoder = "x264";
  preparation.segments = leased.segments;
  preparation.segments[0].engine_next = "comfyui";
  ASSERT_TRUE(store_->prepared(leased.lease, preparation));
  const auto tasks = [this](const std::string& engine, int limit) {
    std::vector<std::string> names;
    const auto found = store_->generations().generations(engine, limit);
    if (!found) return names;
    for (const auto& one : *found) {
      names.push_back(one.task);
      EXPECT_EQ(one.priority, one.task.starts_with("urgent") ? 9 : 5);
      const std::string id = one.task.substr(0, one.task.find('/'));
      EXPECT_EQ(one.waiting_since, job(id).created_at);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(tasks("comfyui", 10), (Names{"urgent/1/0", "a/1/0", "b/1/0"}));
  EXPECT_EQ(tasks("comfyui", 2), (Names{"urgent/1/0", "a/1/0"}));
  EXPECT_EQ(tasks("api", 10), (Names{"a/1/1", "b/1/1"}));
  const auto held = try_lease(hand_for({"comfyui"}));
  ASSERT_TRUE(held);
  EXPECT_EQ(tasks("comfyui", 10).size(), 3U);
  Segment passed = segment_of(*held);
  passed.engine_next = "api";
  ASSERT_TRUE(store_->footage_passed(held->lease, passed));
  EXPECT_EQ(tasks("comfyui", 10), (Names{"a/1/0", "b/1/0"}));
}

TEST_P(EngineContract, AWorkerIsShownWithItsPools) {
  jobs::WorkerInfo worker;
  worker.worker_id = "worker";
  worker.device_kind = "cuda";
  worker.engines = {"api"};
  worker.pools = {{"render", 4, 3, 1, 0}, {"engine:api", 2, 0, 0, 0, "open"}};
  ASSERT_TRUE(store_->upsert_worker(worker));
  const auto shown = *store_->workers(milliseconds(1000));
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0].device_kind, "cuda");
  EXPECT_EQ(shown[0].engines, worker.engines);
  ASSERT_EQ(shown[0].pools.size(), 2U);
  EXPECT_EQ(shown[0].pools[0].name, "render");
  EXPECT_EQ(shown[0].pools[0].threads, 4);
  EXPECT_EQ(shown[0].pools[0].busy, 3);
  EXPECT_EQ(shown[0].pools[0].lost, 1);
  EXPECT_EQ(shown[0].pools[0].breaker, "");
  EXPECT_EQ(shown[0].pools[1].breaker, "open");
}

INSTANTIATE_TEST_SUITE_P(Stores, EngineContract, testing::ValuesIn(all_stores()),
                         [](const auto& made) { return made.param.name; });

}  // namespace pytoon::testing_support
