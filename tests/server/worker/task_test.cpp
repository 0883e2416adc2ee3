#include <nlohmann/json.hpp>

#include "server/worker/task.h"

#include <utility>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using jobs::SegmentStatus;

class TaskTest : public RunFixture {
 protected:
  // An operator's UPDATE of the row.
  void fail_by_hand(const std::string& id, const std::string& error) {
    ASSERT_TRUE(store_->force_fail(id, error));
  }
};

TEST_F(TaskTest, AJobBecomesAVideoWithAllItsFiles) {
  submit(order("a"));
  const auto subject = worker();
  finish(*subject);
  const jobs::Job done = job("a");
  EXPECT_EQ(done.status, JobStatus::kDone) << done.error;
  EXPECT_EQ(done.progress_pct, 100);
  EXPECT_FALSE(done.fallback_used);
  EXPECT_EQ(done.attempts, 0);
  EXPECT_EQ(done.run, 1);
  const auto kept = files("jobs/a");
  EXPECT_EQ(kept.size(), 6U);
  for (const char* name : {"output.mp4", "thumbnail.jpg", "metadata.json", "segments/seg_000.mp4",
                           "segments/seg_001.mp4", "segments/seg_002.mp4"}) {
    EXPECT_TRUE(kept.contains(std::string("jobs/a/") + name)) << name;
  }
  std::string joined;
  const auto segments = *store_->segments("a");
  for (const auto& segment : segments) {
    EXPECT_EQ(segment.status, SegmentStatus::kDone);
    EXPECT_EQ(segment.engine_used, "local_compositor");
    EXPECT_TRUE(segment.artifact_key.starts_with("segments/" + segment.content_key + "."));
    joined += read(segment.artifact_key);
    EXPECT_EQ(read(segment.artifact_key), read(jobs::segment_link_key("a", segment.index)));
  }
  EXPECT_EQ(read("jobs/a/output.mp4"), joined);
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
  EXPECT_EQ(metrics_.done, 1);
  EXPECT_EQ(metrics_.segments["local_compositor"], 3);
  for (const char* event : {"job_dequeued", "assembly_complete", "job_done"}) {
    EXPECT_EQ(logged(event), 1) << event;
  }
  EXPECT_EQ(logged("segment_rendered"), 3);
  EXPECT_NE(lines_.str().find("\"first_frame_seconds\":"), std::string::npos);
  EXPECT_FALSE(step(*subject));
  EXPECT_EQ(subject->held(), 0);
}

TEST_F(TaskTest, MetadataSaysWhatWasMade) {
  auto wish = order("a");
  wish.job.spec.seed = 7;
  submit(wish);
  finish(*worker());
  const auto metadata = nlohmann::json::parse(read("jobs/a/metadata.json"));
  EXPECT_EQ(metadata["job_id"], "a");
  EXPECT_EQ(metadata["preset_id"], "product_hero_clean");
  EXPECT_EQ(metadata["archetype"], "PRODUCT_HERO");
  EXPECT_EQ(metadata["engine_used"], "local_compositor");
  EXPECT_EQ(metadata["brand_safe"], false);
  EXPECT_EQ(metadata["target_duration_seconds"], 9);
  ASSERT_EQ(metadata["segments"].size(), 3U);
  EXPECT_EQ(metadata["segments"][2]["index"], 2);
  EXPECT_EQ(metadata["segments"][2]["engine"], "local_compositor");
  EXPECT_EQ(metadata["segments"][2]["uri"], "storage://jobs/a/segments/seg_002.mp4");
  EXPECT_EQ(metadata["segments"][0]["seed"], 7);
  EXPECT_EQ(metadata["segments"][2]["seed"], 1013904249) << "each generates from its own";
  EXPECT_EQ(metadata["segments"][2]["duration"], 3);
  EXPECT_EQ(metadata["fallback_used"], false);
  EXPECT_TRUE(metadata["fallback_reason"].is_null());
  EXPECT_TRUE(metadata["degraded"].is_null());
  EXPECT_EQ(metadata["completed_at"], iso8601(clock_.now()));
  EXPECT_TRUE(metadata["timings"]["segments_seconds"].is_number());
  EXPECT_EQ(metadata["made_with"]["device"], "fake");
}

TEST_F(TaskTest, TwoWorkersMakeOneJobTogether) {
  submit(order("a", 4));
  const auto one = worker("one");
  const auto two = worker("two");
  ASSERT_TRUE(step(*one));  // prepare
  std::vector<int> by_two;
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) {
    if (index == 0) {
      const int before = renderer_.calls();
      EXPECT_TRUE(step(*two));
      EXPECT_EQ(renderer_.calls(), before + 1);
    }
    return ok_status();
  };
  ASSERT_TRUE(step(*one));  // while one draws the first segment, two draws the second
  EXPECT_EQ(done_segments("a"), 2);
  ASSERT_TRUE(step(*two));
  ASSERT_TRUE(step(*one));
  ASSERT_TRUE(step(*two));  // whoever comes next joins them
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(), 4);
}

TEST_F(TaskTest, AHalfFinishedJobGoesOnFromItsFinishedSegments) {
  submit(order("a", 4));
  finish_segments(*worker("dead"), "a", 2);
  renderer_.on_render = [](int, plan::SourceKind, const CancelToken&) -> Status {
    throw testing_support::Dead();
  };
  {  // it dies in the third
    testing_support::CrashAfterN doom(1'000'000);
    auto leased =
        store_->lease_next({"dead", {jobs::TaskKind::kRender}, {"fake_encoder"}}, options_.lease);
    ASSERT_TRUE(leased && *leased);
  }
  renderer_.on_render = nullptr;
  finish(*take_over());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 1);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(renderer_.calls(i), 1) << i;
}

TEST_F(TaskTest, AFinishedSegmentWhoseObjectIsGoneOrBrokenIsRenderedAgain) {
  submit(order("a", 4));
  finish_segments(*worker("dead"), "a", 3);
  const auto segments = *store_->segments("a");
  ASSERT_TRUE(storage_->remove(segments[0].artifact_key));
  overwrite(segments[1].artifact_key, "torn");
  finish(*take_over());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").run, 2);
  EXPECT_EQ(renderer_.calls(0), 2);
  EXPECT_EQ(renderer_.calls(1), 2);
  EXPECT_EQ(renderer_.calls(2), 1);
  EXPECT_FALSE(*storage_->contains(segments[1].artifact_key));  // the loser is gone
}

TEST_F(TaskTest, ACancelledJobStopsItsWorkAndLeavesNoFiles) {
  submit(order("a"));
  const auto subject = worker();
  ASSERT_TRUE(step(*subject));
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) -> Status {
    EXPECT_TRUE(store_->cancel("a"));
    renew_leases(*subject);
    EXPECT_TRUE(cancel.cancelled());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  ASSERT_TRUE(step(*subject));
  EXPECT_FALSE(step(*subject));
  EXPECT_EQ(renderer_.calls(), 1);
  EXPECT_EQ(job("a").status, JobStatus::kCancelled);
  EXPECT_EQ(logged("lease_lost"), 1);
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
  EXPECT_TRUE(!fs::exists(root() / "segments") || files("segments").empty());
}

TEST_F(TaskTest, AJobCancelledDuringItsAssemblyShowsNoVideo) {
  submit(order("a"));
  const auto subject = worker();
  finish_segments(*subject, "a", 3);
  renderer_.on_assemble = [&] {
    EXPECT_TRUE(store_->cancel("a"));
    return ok_status();
  };
  while (step(*subject)) {
  }
  EXPECT_EQ(job("a").status, JobStatus::kCancelled);
  EXPECT_FALSE(*storage_->contains("jobs/a/output.mp4"));
  EXPECT_FALSE(*storage_->contains("jobs/a/metadata.json"));
}

// It falls asleep when its video is assembled, and wakes when another has finished a later run.
TEST_F(TaskTest, AFinisherThatSleptThroughARetryChangesNothing) {
  submit(order("a"));
  const auto sleeper = worker("sleeper");
  finish_segments(*sleeper, "a", 3);
  std::map<std::string, std::string> outputs;
  std::string folder;
  bool slept = false;
  renderer_.on_assemble = [&] {
    if (std::exchange(slept, true)) return ok_status();
    EXPECT_TRUE(store_->force_fail("a", "it hangs"));
    EXPECT_TRUE(store_->retry("a"));
    finish(*worker("second"));
    EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
    folder = job("a").output_folder;
    outputs = files("outputs");
    EXPECT_EQ(outputs.size(), 3U);
    clock_.advance(milliseconds(1000));  // what it writes now has another time in it
    return ok_status();
  };
  while (step(*sleeper)) {
  }
  EXPECT_EQ(job("a").output_folder, folder);
  EXPECT_EQ(files("outputs"), outputs) << "the winner's bytes, and nobody else's";
  for (const char* file : jobs::kOutputFiles) {
    EXPECT_EQ(read(std::string("jobs/a/") + file), outputs.at(folder + "/" + file)) << file;
  }
  EXPECT_EQ(metrics_.done, 1);
}

TEST_F(TaskTest, OutputsOfACancelledJobAreTakenAway) {
  submit(order("a"));
  const auto subject = worker();
  finish_segments(*subject, "a", 3);
  renderer_.on_assemble = [&] {
    EXPECT_TRUE(store_->cancel("a"));
    return ok_status();
  };
  while (step(*subject)) {
  }
  EXPECT_TRUE(!fs::exists(root() / "outputs") || files("outputs").empty());
}

TEST_F(TaskTest, AHumansUpdateIsNoticedByTheNextWriteToo) {
  submit(order("a"));
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    fail_by_hand("a", "by hand");
    return ok_status();
  };
  finish(*worker());
  EXPECT_EQ(renderer_.calls(), 1);
  EXPECT_EQ(job("a").error, "by hand");
  EXPECT_TRUE(files("segments").empty());  // what lost is not kept
}

TEST_F(TaskTest, AZombieWritesNothingAfterItsLeaseWasTaken) {
  submit(order("a"));
  const auto zombie = worker("zombie");
  finish_segments(*zombie, "a", 1);
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    renderer_.on_render = nullptr;
    finish(*take_over());
    return ok_status();
  };
  ASSERT_TRUE(step(*zombie));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(0), 1);
  EXPECT_EQ(files("segments").size(), 3U);
  EXPECT_EQ(metrics_.done, 1);
}

TEST_F(TaskTest, AnEndWhoseAnswerWasLostIsNotTakenForALoss) {
  class LoseOne final : public testing_support::FaultPlan {
   public:
    bool armed = false;
    Answer before_call() override {
      const bool lose = armed;
      armed = false;
      return lose ? Answer::kLoseTheAnswer : Answer::kGoOn;
    }
    void after_call() override {}
  } faults;
  testing_support::FaultInjectingTasks tasks(*store_, faults);
  WorkerDependencies lossy{*store_,  tasks,    *storage_, renderer_, engine_chain_,
                           presets_, metrics_, clock_,    log_,      process_};
  Options options = options_;
  options.worker_id = "lossy";
  jobs::WorkerInfo facts;
  Worker subject(lossy, *store_, options, facts);
  submit(order("a"));
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) {
    faults.armed = index == 1;
    return ok_status();
  };
  finish(subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(job("a").run, 1);
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(TaskTest, StoppingCancelsAndHandsBackWithoutSpendingAnAttempt) {
  submit(order("a"));
  const auto subject = worker();
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken& cancel) -> Status {
    if (index == 0) return ok_status();
    subject->stop();
    EXPECT_TRUE(cancel.cancelled());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  while (step(*subject)) {
  }
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  renderer_.on_render = nullptr;
  finish(*worker("other"));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(renderer_.calls(0), 1);
}

TEST_F(TaskTest, ProgressGrowsWithTheFrames) {
  submit(order("a", 4));
  const auto subject = worker();
  std::vector<int> seen;
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    renew_leases(*subject);
    seen.push_back(job("a").progress_pct);
    return ok_status();
  };
  finish(*subject);
  seen.push_back(job("a").progress_pct);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.front(), 0);
  EXPECT_NE(std::find(seen.begin(), seen.end(), 47), seen.end());  // 2 of 4 segments, of 95 %
  EXPECT_EQ(seen.back(), 100);
}

TEST_F(TaskTest, LeasesAreRenewedWhileTheWorkGoesOn) {
  submit(order("a"));
  const auto subject = worker();
  const auto other = worker("other");
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken& cancel) {
    for (int i = 0; index == 0 && i < 10; ++i) {
      clock_.advance(options_.lease / 4);
      renew_leases(*subject);
      renew_leases(*other);
    }
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*subject);
  EXPECT_EQ(logged("task_reaped"), 0);
  EXPECT_EQ(job("a").attempts, 0);
}

TEST_F(TaskTest, ADeadWorkersTaskIsFoundByTheOthers) {
  jobs::NewJob traced = order("a");
  traced.job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  submit(traced);
  const auto other = worker("other");
  renew_leases(*other);
  {
    auto leased = store_->lease_next({"dead", {jobs::TaskKind::kPrepare}, {}}, options_.lease);
    ASSERT_TRUE(leased && *leased);
  }
  milliseconds waited{0};
  while (!step(*other) && waited < options_.lease * 3) {
    clock_.advance(milliseconds(250));
    waited += milliseconds(250);
    renew_leases(*other);
  }
  EXPECT_GE(waited, options_.lease);
  EXPECT_LE(waited, options_.lease * 5 / 4);
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(job("a").crashes, 0);  // it got on since
  EXPECT_EQ(logged("task_reaped"), 1);
  EXPECT_NE(lines_.str().find(
                R"("task_reaped","job_id":"a","trace_id":"0af7651916cd43dd8448eb211c80319c")"),
            std::string::npos)
      << lines_.str();
}

TEST_F(TaskTest, WhatDrawsNoFrameForTooLongIsGivenUp) {
  submit(order("a"));
  const auto subject = worker();
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) -> Status {
    if (renderer_.calls() > 1) return ok_status();
    for (int i = 0; i < 100 && !cancel.cancelled(); ++i) {
      clock_.advance(options_.stuck_after / 20);
      renew_leases(*subject);
    }
    EXPECT_TRUE(cancel.cancelled());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  finish(*subject);
  EXPECT_EQ(logged("task_stuck"), 1);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 1);
}

TEST_F(TaskTest, ApiOnlyWithoutAnApiIsACardThatSaysWhy) {
  auto wish = order("a");
  wish.job.spec.engine_policy = spec::EnginePolicy::kApiOnly;
  submit(wish);
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").fallback_reason, "no engine that api_only allows is configured");
  EXPECT_EQ(metrics_.fallbacks["template"], 1);
  EXPECT_EQ(metrics_.segments["template"], 3);
}

TEST_F(TaskTest, ARetriedJobKeepsItsFinishedSegments) {
  submit(order("a"));
  renderer_.on_assemble = [] { return Status(failure(FailureKind::kMedia, "can't join")); };
  const auto subject = worker();
  finish(*subject);
  ASSERT_EQ(job("a").status, JobStatus::kFailed);
  renderer_.on_assemble = nullptr;
  ASSERT_TRUE(store_->retry("a"));
  EXPECT_EQ(job("a").run, 2);
  finish(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(renderer_.calls(), 3);
}

}  // namespace pytoon::worker
