#include "server/worker/job_run.h"
#include "server/worker/job_inputs.h"

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using render::Footage;

class JobRunTest : public RunFixture {};

TEST_F(JobRunTest, AJobBecomesAVideoWithAllItsFiles) {
  submit(order("a"));
  const auto run = lease();
  finish(*run);
  const jobs::Job done = job("a");
  EXPECT_EQ(done.status, JobStatus::kDone) << done.error;
  EXPECT_EQ(done.progress_pct, 100);
  EXPECT_FALSE(done.fallback_used);
  EXPECT_EQ(done.attempts, 0);
  const auto kept = files("jobs/a");
  EXPECT_EQ(kept.size(), 6U);
  for (const char* name : {"output.mp4", "thumbnail.jpg", "metadata.json", "segments/seg_000.mp4",
                           "segments/seg_001.mp4", "segments/seg_002.mp4"}) {
    EXPECT_TRUE(kept.contains(std::string("jobs/a/") + name)) << name;
  }
  const auto segments = *store_.segments("a");
  std::string joined;
  for (const auto& segment : segments) {
    EXPECT_EQ(segment.status, jobs::SegmentStatus::kDone);
    EXPECT_EQ(segment.engine_used, "local_compositor");
    EXPECT_EQ(segment.artifact_key, "segments/" + segment.content_key + ".1.mp4");
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
  EXPECT_EQ(run->step(), JobRun::Step::kOver);
}

TEST_F(JobRunTest, MetadataSaysWhatWasMade) {
  auto wish = order("a");
  wish.job.spec.seed = 7;
  submit(wish);
  finish(*lease());
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
  EXPECT_EQ(metadata["segments"][2]["seed"], 7);
  EXPECT_EQ(metadata["segments"][2]["duration"], 3);
  EXPECT_EQ(metadata["fallback_used"], false);
  EXPECT_TRUE(metadata["fallback_reason"].is_null());
  EXPECT_EQ(metadata["completed_at"], iso8601(clock_.now()));
  EXPECT_TRUE(metadata["timings"].contains("segments_seconds"));
  EXPECT_EQ(metadata["made_with"]["device"], "fake");
}

TEST_F(JobRunTest, AHalfFinishedJobGoesOnFromItsFinishedSegments) {
  submit(order("a", 4));
  finish_segments(*lease("dead"), "a", 2);
  const auto run = take_over();
  finish(*run);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 1);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(renderer_.calls(i), 1) << i;
}

TEST_F(JobRunTest, AFinishedSegmentWhoseObjectIsGoneOrBrokenIsRenderedAgain) {
  submit(order("a", 4));
  finish_segments(*lease("dead"), "a", 3);
  const auto segments = *store_.segments("a");
  ASSERT_TRUE(storage_->remove(segments[0].artifact_key));
  overwrite(segments[1].artifact_key, "torn");
  finish(*take_over());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(0), 2);
  EXPECT_EQ(renderer_.calls(1), 2);
  EXPECT_EQ(renderer_.calls(2), 1);
  EXPECT_FALSE(storage_->exists(segments[1].artifact_key));  // the loser is gone
}

TEST_F(JobRunTest, AHumansUpdateStopsTheWorkerAndStays) {
  submit(order("a"));
  const auto run = lease();
  renderer_.on_render = [&](int, Footage, const CancelToken& cancel) -> Status {
    store_.set_by_hand("a", JobStatus::kFailed, "Manual intervention: stuck job");
    run->beat();
    EXPECT_TRUE(cancel.cancelled());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  finish(*run);
  EXPECT_EQ(renderer_.calls(), 1);
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "Manual intervention: stuck job");
  EXPECT_EQ(metrics_.failed["operator"], 1);
  EXPECT_EQ(logged("job_lost"), 1);
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
}

TEST_F(JobRunTest, AHumansUpdateIsNoticedByTheNextWriteToo) {
  submit(order("a"));
  const auto run = lease();
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    store_.set_by_hand("a", JobStatus::kFailed, "by hand");
    return ok_status();
  };
  finish(*run);
  EXPECT_EQ(renderer_.calls(), 1);
  EXPECT_EQ(job("a").error, "by hand");
  EXPECT_TRUE(files("segments").empty());  // what lost is not kept
}

TEST_F(JobRunTest, AZombieWritesNothingAfterItsLeaseWasTaken) {
  submit(order("a"));
  const auto zombie = lease("zombie");
  finish_segments(*zombie, "a", 1);
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    renderer_.on_render = nullptr;
    finish(*take_over());
    return ok_status();
  };
  finish(*zombie);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(0), 1);
  EXPECT_EQ(files("segments").size(), 3U);
  EXPECT_EQ(metrics_.done, 1);
}

TEST_F(JobRunTest, ASegmentThatFailsOnceIsTriedAgain) {
  submit(order("a"));
  renderer_.on_render = [&](int index, Footage, const CancelToken&) -> Status {
    if (index == 1 && renderer_.calls(1) == 1) return failure(FailureKind::kMedia, "hiccup");
    return ok_status();
  };
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(renderer_.calls(1), 2);
}

TEST_F(JobRunTest, ASegmentThatFailsTwiceFallsToTheCardAndSaysSo) {
  submit(order("a"));
  renderer_.on_render = [](int index, Footage footage, const CancelToken&) -> Status {
    if (index == 1 && footage == Footage::kImages) return failure(FailureKind::kMedia, "no luck");
    return ok_status();
  };
  finish(*lease());
  const jobs::Job done = job("a");
  EXPECT_EQ(done.status, JobStatus::kDone) << done.error;
  EXPECT_TRUE(done.fallback_used);
  EXPECT_EQ(done.fallback_reason, "segment 1: no luck");
  EXPECT_EQ((*store_.segments("a"))[1].engine_used, "template");
  EXPECT_EQ((*store_.segments("a"))[2].engine_used, "local_compositor");
  EXPECT_EQ(renderer_.calls(0), 1);
  EXPECT_EQ(renderer_.calls(1), 3);
  EXPECT_EQ(renderer_.calls(2), 1);
  EXPECT_EQ(logged("engine_fallback_used"), 1);
  EXPECT_EQ(metrics_.fallbacks["template"], 1);
  const auto metadata = nlohmann::json::parse(read("jobs/a/metadata.json"));
  EXPECT_EQ(metadata["engine_used"], "local_compositor+template");
  EXPECT_EQ(metadata["fallback_reason"], "segment 1: no luck");
}

TEST_F(JobRunTest, NeighboursOfACardAreRenderedAgainWhenTheyChange) {
  submit(order("a"));
  finish_segments(*lease("dead"), "a", 3);
  const auto before = *store_.segments("a");
  overwrite(before[1].artifact_key, "torn");
  renderer_.on_render = [](int index, Footage footage, const CancelToken&) -> Status {
    if (index == 1 && footage == Footage::kImages) return failure(FailureKind::kMedia, "no luck");
    return ok_status();
  };
  finish(*take_over());
  const auto after = *store_.segments("a");
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(after[0].artifact_key, before[0].artifact_key);
  EXPECT_NE(after[2].content_key, before[2].content_key);
  EXPECT_EQ(renderer_.calls(2), 2);
  EXPECT_EQ(files("segments").size(), 3U);
}

TEST_F(JobRunTest, ACardOfAnEarlierLeaseStaysACard) {
  submit(order("a"));
  renderer_.on_render = [](int index, Footage footage, const CancelToken&) -> Status {
    if (index == 0 && footage == Footage::kImages) return failure(FailureKind::kMedia, "no luck");
    return ok_status();
  };
  finish_segments(*lease("dead"), "a", 2);
  const int before = renderer_.calls();
  finish(*take_over());
  EXPECT_EQ(renderer_.calls(), before + 1);
  EXPECT_EQ(metrics_.fallbacks["template"], 1);
  EXPECT_TRUE(job("a").fallback_used);
}

TEST_F(JobRunTest, WhenNotEvenTheCardCanBeDrawnTheJobFails) {
  submit(order("a"));
  renderer_.on_render = [](int index, Footage, const CancelToken&) -> Status {
    if (index == 1) return failure(FailureKind::kMedia, "no encoder");
    return ok_status();
  };
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "segment 1 can't be drawn: no encoder");
  EXPECT_EQ((*store_.segments("a"))[1].status, jobs::SegmentStatus::kFailed);
  EXPECT_EQ((*store_.segments("a"))[1].error, "no encoder");
  EXPECT_EQ(metrics_.failed["template"], 1);
  EXPECT_EQ(renderer_.calls(1), 4);
}

TEST_F(JobRunTest, ALostInputFailsTheJobAndNamesIt) {
  submit(order("a"));
  ASSERT_TRUE(storage_->remove("assets/acme/a.png"));
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "lost input: storage://assets/acme/a.png is gone");
  EXPECT_EQ(metrics_.failed["lost-input"], 1);
}

TEST_F(JobRunTest, ClipsAreInputsLikeImages) {
  jobs::NewJob order = this->order("a");
  keep_image("assets/acme/c.mp4", "clip");
  order.job.spec.assets.clips = {"storage://assets/acme/c.mp4"};
  submit(order);
  const auto inputs = fetch_inputs(order.job, store_, *storage_, {});
  ASSERT_TRUE(inputs) << inputs.failure().detail;
  ASSERT_EQ(inputs->clips.size(), 1U);
  EXPECT_EQ(inputs->clips[0].sha256, sha256_hex("clip"));
  overwrite("assets/acme/c.mp4", "other");
  finish(*lease());
  EXPECT_EQ(job("a").error,
            "lost input: storage://assets/acme/c.mp4 has other bytes than were uploaded");
}

TEST_F(JobRunTest, AnInputWithOtherBytesIsLostToo) {
  submit(order("a"));
  overwrite("assets/acme/a.png", "another");
  finish(*lease());
  EXPECT_EQ(job("a").error,
            "lost input: storage://assets/acme/a.png has other bytes than were uploaded");
}

TEST_F(JobRunTest, AnInputThatGoesWhileRenderingFailsTheJob) {
  submit(order("a"));
  renderer_.on_render = [&](int, Footage, const CancelToken&) -> Status {
    EXPECT_TRUE(storage_->remove("assets/acme/a.png"));
    return failure(FailureKind::kNotFound, "can't open");
  };
  finish(*lease());
  EXPECT_EQ(job("a").error, "lost input: storage://assets/acme/a.png is gone");
  EXPECT_EQ(renderer_.calls(), 1);
}

TEST_F(JobRunTest, AFullStorageIsWaitedFor) {
  submit(order("a"));
  renderer_.on_render = [&](int, Footage, const CancelToken&) -> Status {
    if (renderer_.calls() <= 12) return failure(FailureKind::kStorageFull, "the disk is full");
    return ok_status();
  };
  const auto run = lease();
  std::vector<milliseconds> waits;
  for (int i = 0; i < 100 && !run->over(); ++i) {
    if (run->step() != JobRun::Step::kNothing) continue;
    EXPECT_FALSE(run->has_work());
    milliseconds waited{0};
    for (; !run->has_work(); waited += milliseconds(500)) clock_.advance(milliseconds(500));
    waits.push_back(waited);
  }
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(job("a").attempts, 0);
  ASSERT_EQ(waits.size(), 12U);
  EXPECT_EQ(waits.front(), options_.back_off);
  EXPECT_EQ(waits[1], options_.back_off * 2);
  EXPECT_EQ(waits.back(), options_.back_off_max);
}

TEST_F(JobRunTest, AMachineThatKeepsRefusingIsNotWaitedForForEver) {
  submit(order("a"));
  renderer_.on_render = [](int, Footage, const CancelToken&) -> Status {
    return failure(FailureKind::kIo, "bad sector");
  };
  const auto run = lease();
  for (int i = 0; i < 100 && !run->over(); ++i) {
    run->step();
    clock_.advance(options_.back_off_max);
  }
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("bad sector"), std::string::npos);
}

TEST_F(JobRunTest, SegmentsThatBreakBeforeAssemblyAreMadeAgain) {
  submit(order("a"));
  renderer_.on_assemble = [&] {
    renderer_.on_assemble = nullptr;
    overwrite((*store_.segments("a"))[1].artifact_key, "torn");
    return ok_status();
  };
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(renderer_.calls(0), 1);
  EXPECT_EQ(renderer_.calls(1), 2);
  EXPECT_EQ(renderer_.calls(2), 1);
}

TEST_F(JobRunTest, AnAssemblyThatKeepsFailingFailsTheJob) {
  submit(order("a"));
  renderer_.on_assemble = [] { return Status(failure(FailureKind::kMedia, "can't join")); };
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "can't join");
  EXPECT_EQ(metrics_.failed["media"], 1);
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(JobRunTest, AnExceptionHandsTheJobBackAsCrashed) {
  submit(order("a"));
  renderer_.on_render = [](int, Footage, const CancelToken&) -> Status {
    throw std::runtime_error("boom");
  };
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(logged("job_runner_crash"), 1);
}

TEST_F(JobRunTest, AJobThatKeepsCrashingEndsAsACard) {
  submit(order("a"));
  renderer_.on_render = [](int index, Footage footage, const CancelToken&) -> Status {
    if (index == 1 && footage == Footage::kImages) throw std::runtime_error("boom");
    return ok_status();
  };
  int leases = 0;
  for (; leases < 20 && !jobs::is_terminal(job("a").status); ++leases) {
    finish(*lease());
    clock_.advance(options_.back_off);
  }
  EXPECT_EQ(leases, 4);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(job("a").fallback_reason, "crashed");
  EXPECT_EQ(job("a").attempts, 3);
  const auto kept_rows = *store_.segments("a");
  for (const auto& segment : kept_rows) EXPECT_EQ(segment.engine_used, "template");
}

TEST_F(JobRunTest, AJobThatCrashesEvenAsACardFails) {
  submit(order("a"));
  renderer_.on_render = [](int, Footage, const CancelToken&) -> Status {
    throw std::runtime_error("boom");
  };
  for (int i = 0; i < 20 && !jobs::is_terminal(job("a").status); ++i) {
    finish(*lease());
    clock_.advance(options_.back_off);
  }
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").attempts, jobs::kCrashesBeforeFailure);
}

TEST_F(JobRunTest, StoppingCancelsAndHandsBackWithoutSpendingAnAttempt) {
  submit(order("a"));
  const auto run = lease();
  renderer_.on_render = [&](int index, Footage, const CancelToken& cancel) -> Status {
    if (index == 0) return ok_status();
    run->stop();
    EXPECT_TRUE(cancel.cancelled());
    EXPECT_FALSE(run->over());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  finish(*run);
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  renderer_.on_render = nullptr;
  finish(*lease("other"));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(renderer_.calls(0), 1);
}

TEST_F(JobRunTest, StoppingAnIdleRunHandsBackAtOnce) {
  submit(order("a"));
  const auto run = lease();
  run->stop();
  EXPECT_TRUE(run->over());
  EXPECT_TRUE((*store_.lease_next("other", milliseconds(1000))).has_value());
}

TEST_F(JobRunTest, ProgressGrowsWithTheFrames) {
  submit(order("a", 4));
  const auto run = lease();
  std::vector<int> seen;
  for (int i = 0; i < 100 && !run->over(); ++i) {
    run->step();
    run->beat();
    seen.push_back(job("a").progress_pct);
  }
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.front(), 0);
  EXPECT_NE(std::find(seen.begin(), seen.end(), 47), seen.end());  // 2 of 4 segments, of 95 %
  EXPECT_EQ(seen.back(), 100);
}

TEST_F(JobRunTest, TheLeaseIsRenewed) {
  submit(order("a"));
  const auto run = lease();
  for (int i = 0; i < 20; ++i) {
    clock_.advance(options_.lease / 4);
    run->beat();
  }
  EXPECT_FALSE((*store_.lease_next("other", milliseconds(1000))).has_value());
}

TEST_F(JobRunTest, ApiOnlyWithoutAnApiIsACardThatSaysWhy) {
  auto wish = order("a");
  wish.job.spec.engine_policy = spec::EnginePolicy::kApiOnly;
  submit(wish);
  finish(*lease());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").fallback_reason, "no engine that api_only allows is configured");
  EXPECT_EQ(metrics_.fallbacks["template"], 1);
  EXPECT_EQ(metrics_.segments["template"], 3);
}

}  // namespace pytoon::worker
