// How the troubles of a task end: hiccups, cards, lost inputs, full disks, crashes.
#include <nlohmann/json.hpp>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using jobs::SegmentStatus;

class TaskTrouble : public RunFixture {};

TEST_F(TaskTrouble, ASegmentThatFailsOnceIsTriedAgain) {
  submit(order("a"));
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) -> Status {
    if (index == 1 && renderer_.calls(1) == 1) return failure(FailureKind::kMedia, "hiccup");
    return ok_status();
  };
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(renderer_.calls(1), 2);
}

TEST_F(TaskTrouble, ASegmentThatFailsTwiceFallsToTheCardAndSaysSo) {
  submit(order("a"));
  renderer_.on_render = [](int index, plan::SourceKind footage, const CancelToken&) -> Status {
    if (index == 1 && footage == plan::SourceKind::kImages)
      return failure(FailureKind::kMedia, "no luck");
    return ok_status();
  };
  finish(*worker());
  const jobs::Job done = job("a");
  EXPECT_EQ(done.status, JobStatus::kDone) << done.error;
  EXPECT_TRUE(done.fallback_used);
  EXPECT_EQ(done.fallback_reason, "segment 1: no luck");
  EXPECT_EQ((*store_->segments("a"))[1].engine_used, "template");
  EXPECT_EQ((*store_->segments("a"))[2].engine_used, "local_compositor");
  EXPECT_EQ(renderer_.calls(0), 1);
  EXPECT_EQ(renderer_.calls(1), 3);
  EXPECT_EQ(logged("engine_fallback_used"), 1);
  EXPECT_EQ(metrics_.fallbacks["template"], 1);
  const auto metadata = nlohmann::json::parse(read("jobs/a/metadata.json"));
  EXPECT_EQ(metadata["engine_used"], "local_compositor+template");
  EXPECT_EQ(metadata["fallback_reason"], "segment 1: no luck");
}

TEST_F(TaskTrouble, NeighboursOfACardAreRenderedAgainWhenTheyChange) {
  submit(order("a"));
  // The middle one is the last: the others are done when it falls.
  renderer_.on_render = [&](int index, plan::SourceKind footage, const CancelToken&) -> Status {
    if (index != 1 || footage == plan::SourceKind::kCard) return ok_status();
    return failure(FailureKind::kMedia, "no luck");
  };
  const auto subject = worker();
  for (int i = 0; i < 20 && done_segments("a") < 2; ++i) step(*subject);
  const auto before = *store_->segments("a");
  ASSERT_EQ(before[2].status, SegmentStatus::kDone);
  finish(*subject);
  const auto after = *store_->segments("a");
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(after[0].artifact_key, before[0].artifact_key);
  EXPECT_NE(after[2].content_key, before[2].content_key);
  EXPECT_EQ(renderer_.calls(2), 2);
  EXPECT_EQ(files("segments").size(), 3U);
}

TEST_F(TaskTrouble, WhenNotEvenTheCardCanBeDrawnTheJobFails) {
  submit(order("a"));
  renderer_.on_render = [](int index, plan::SourceKind, const CancelToken&) -> Status {
    if (index == 1) return failure(FailureKind::kMedia, "no encoder");
    return ok_status();
  };
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "segment 1 can't be drawn: no encoder");
  EXPECT_EQ((*store_->segments("a"))[1].status, SegmentStatus::kFailed);
  EXPECT_EQ(metrics_.failed["template"], 1);
  EXPECT_EQ(renderer_.calls(1), 4);
}

TEST_F(TaskTrouble, ALostInputFailsTheJobAndNamesIt) {
  submit(order("a"));
  ASSERT_TRUE(storage_->remove("assets/acme/a.png"));
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "lost input: storage://assets/acme/a.png is gone");
  EXPECT_EQ(metrics_.failed["lost-input"], 1);
}

TEST_F(TaskTrouble, AnInputWithOtherBytesIsLostToo) {
  submit(order("a"));
  overwrite("assets/acme/a.png", "another");
  finish(*worker());
  EXPECT_EQ(job("a").error,
            "lost input: storage://assets/acme/a.png has other bytes than were uploaded");
}

TEST_F(TaskTrouble, AnInputThatGoesWhileRenderingFailsTheJob) {
  submit(order("a"));
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) -> Status {
    EXPECT_TRUE(storage_->remove("assets/acme/a.png"));
    return failure(FailureKind::kNotFound, "can't open");
  };
  finish(*worker());
  EXPECT_EQ(job("a").error, "lost input: storage://assets/acme/a.png is gone");
  EXPECT_EQ(renderer_.calls(), 1);
}

TEST_F(TaskTrouble, AFullStorageIsWaitedForLongerAndLonger) {
  submit(order("a", 1));
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) -> Status {
    if (renderer_.calls() <= 12) return failure(FailureKind::kStorageFull, "the disk is full");
    return ok_status();
  };
  const auto subject = worker();
  std::vector<milliseconds> waits;
  milliseconds waited{0};
  for (int i = 0; i < 2000 && !is_terminal(job("a").status); ++i) {
    if (step(*subject)) {
      if (waited.count() > 0) waits.push_back(waited);
      waited = milliseconds(0);
      continue;
    }
    clock_.advance(milliseconds(500));
    waited += milliseconds(500);
  }
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(job("a").attempts, 0);
  ASSERT_EQ(waits.size(), 12U);
  // Between half and the whole, seen in steps of half a second.
  const auto doubles = [](milliseconds wait, milliseconds whole) {
    return wait >= whole / 2 && wait <= whole;
  };
  EXPECT_PRED2(doubles, waits[0], options_.back_off);
  EXPECT_PRED2(doubles, waits[1], options_.back_off * 2);
  EXPECT_PRED2(doubles, waits[2], options_.back_off * 4);
  EXPECT_PRED2(doubles, waits.back(), options_.back_off_max);
}

// The other worker's card is fine: the job must not pay for this one's.
TEST_F(TaskTrouble, AWorkerWhoseCardIsLostTakesNoMoreAndAnotherFinishesTheJobUnharmed) {
  submit(order("a"));
  submit(order("b"));
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) -> Status {
    if (renderer_.calls() < 2) return ok_status();
    return failure(FailureKind::kDeviceLost, "segment " + std::to_string(index) + " lost its card");
  };
  const auto broken = worker("broken");
  for (int i = 0; i < 20 && process_.usable(); ++i) step(*broken);
  ASSERT_FALSE(process_.usable());
  EXPECT_NE(process_.reason()->find("lost its card"), std::string::npos);
  EXPECT_EQ(logged("process_unusable"), 1);
  EXPECT_EQ(broken->held(), 0);
  const int calls = renderer_.calls();
  for (int i = 0; i < 20; ++i) {
    clock_.advance(options_.back_off);
    EXPECT_FALSE(step(*broken)) << "it leased again";
  }
  EXPECT_EQ(renderer_.calls(), calls);
  renew_leases(*broken);
  const auto workers = store_->workers(milliseconds(60'000));
  for (const auto& seen : *workers) EXPECT_TRUE(seen.draining);

  renderer_.on_render = nullptr;
  jobs::ProcessHealth healthy(log_);
  const WorkerDependencies fine{*store_,  *store_,  *storage_, renderer_, engine_chain_,
                                presets_, metrics_, clock_,    log_,      healthy};
  Options options = options_;
  options.worker_id = "healthy";
  Worker other(fine, *store_, options, jobs::WorkerInfo{});
  for (const char* id : {"a", "b"}) {
    finish(other, id);
    EXPECT_EQ(job(id).status, JobStatus::kDone) << job(id).error;
    EXPECT_EQ(job(id).attempts, 0) << id;
    EXPECT_EQ(job(id).crashes, 0) << id;
    EXPECT_FALSE(job(id).fallback_used) << id;
  }
}

TEST_F(TaskTrouble, AMachineThatKeepsRefusingIsNotWaitedForForEver) {
  submit(order("a"));
  renderer_.on_render = [](int, plan::SourceKind, const CancelToken&) -> Status {
    return failure(FailureKind::kIo, "bad sector");
  };
  finish(*worker(), "a", 4000);
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("bad sector"), std::string::npos);
}

TEST_F(TaskTrouble, AnAssemblyThatKeepsFailingFailsTheJob) {
  submit(order("a"));
  renderer_.on_assemble = [] { return Status(failure(FailureKind::kMedia, "can't join")); };
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "can't join");
  EXPECT_EQ(metrics_.failed["media"], 1);
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(TaskTrouble, AnExceptionCountsAsACrash) {
  submit(order("a"));
  renderer_.on_render = [](int, plan::SourceKind, const CancelToken&) -> Status {
    throw std::runtime_error("boom");
  };
  const auto subject = worker();
  step(*subject);
  step(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(logged("job_runner_crash"), 1);
}

TEST_F(TaskTrouble, AJobThatKeepsCrashingEndsAsACard) {
  submit(order("a", 1));
  renderer_.on_render = [](int, plan::SourceKind footage, const CancelToken&) -> Status {
    if (footage == plan::SourceKind::kImages) throw std::runtime_error("boom");
    return ok_status();
  };
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(job("a").fallback_reason, "crashed");
  EXPECT_EQ(job("a").attempts, 3);
  EXPECT_EQ((*store_->segments("a"))[0].engine_used, "template");
  const auto letters = *store_->dead_letters(10);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].job_id, "a");
}

TEST_F(TaskTrouble, AJobThatCrashesEvenAsACardFails) {
  submit(order("a"));
  renderer_.on_render = [](int, plan::SourceKind, const CancelToken&) -> Status {
    throw std::runtime_error("boom");
  };
  finish(*worker());
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").attempts, jobs::kCrashesBeforeFailure);
}

}  // namespace pytoon::worker
