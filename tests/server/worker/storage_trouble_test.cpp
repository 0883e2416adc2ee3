// A storage that can't be asked is waited for. It is never taken for one that has lost something.
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;

class StorageTrouble : public RunFixture {
 protected:
  class Absence final : public testing_support::FaultPlan {
   public:
    bool away = false;
    Answer before_call() override { return away ? Answer::kRefuse : Answer::kGoOn; }
    void after_call() override {}
  };

  void SetUp() override {
    RunFixture::SetUp();
    gate_.emplace(*storage_, absence_);
    const WorkerDependencies parts{*store_,  *store_,  *gate_, renderer_, engine_chain_,
                                   presets_, metrics_, clock_, log_,      process_};
    Options options = options_;
    options.worker_id = "hands";
    hands_ = std::make_unique<Worker>(parts, *store_, options, jobs::WorkerInfo{});
    submit(order("a"));
  }
  // The storage is away for minutes, then it is back.
  void go_away_and_come_back() {
    absence_.away = true;
    for (int i = 0; i < 200; ++i) {
      if (!step(*hands_)) clock_.advance(milliseconds(1000));
    }
    absence_.away = false;
  }

  Absence absence_;
  std::optional<testing_support::FaultInjectingStorage> gate_;
  std::unique_ptr<Worker> hands_;
};

TEST_F(StorageTrouble, FinishingWaitsForItAndDrawsNothingAgain) {
  finish_segments(*hands_, "a", 3);
  go_away_and_come_back();
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);
  finish(*hands_);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(renderer_.calls(), 3);
  EXPECT_EQ(job("a").run, 1);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("segments_invalidated"), 0);
  EXPECT_GT(logged("task_retry_scheduled"), 3);
}

TEST_F(StorageTrouble, ARetryWaitsForItAndKeepsWhatIsFinished) {
  finish_segments(*hands_, "a", 2);
  ASSERT_TRUE(store_->force_fail("a", "by hand"));
  ASSERT_TRUE(store_->retry("a"));
  go_away_and_come_back();
  EXPECT_EQ(job("a").status, JobStatus::kPlanning);
  finish(*hands_);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(renderer_.calls(), 3);
  EXPECT_EQ(job("a").attempts, 0);
}

TEST_F(StorageTrouble, ASegmentThatIsSurelyGoneIsDrawnAgain) {
  finish_segments(*hands_, "a", 3);
  ASSERT_TRUE(storage_->remove((*store_->segments("a"))[1].artifact_key));
  finish(*hands_);
  EXPECT_EQ(job("a").status, JobStatus::kDone) << job("a").error;
  EXPECT_EQ(renderer_.calls(1), 2);
  EXPECT_EQ(logged("segments_invalidated"), 1);
}

}  // namespace pytoon::worker
