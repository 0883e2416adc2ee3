#include "server/worker/job_inputs.h"

#include "tests/server/worker/run_fixture.h"
#include "tests/support/fault_injection.h"

namespace pytoon::worker {

class JobInputs : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    counted_.emplace(*storage_, counter_);
    wish_ = order("a");
    wish_.job.spec.captions_plan.timings.clear();
  }

  jobs::LeasedTask leased() const {
    jobs::LeasedTask leased;
    leased.job = wish_.job;
    leased.segments = wish_.segments;
    return leased;
  }
  InputCache new_cache() { return {*store_, *counted_, clock_}; }
  // As many images as segments, "picture 0", "picture 1", ...
  void give_images(int count) {
    wish_ = order("a", count);
    wish_.job.spec.captions_plan.timings.clear();
    wish_.job.spec.assets.images.clear();
    for (int i = 0; i < count; ++i) {
      const std::string key = "assets/acme/p" + std::to_string(i) + ".png";
      keep_image(key, "picture " + std::to_string(i));
      wish_.job.spec.assets.images.push_back("storage://" + key);
    }
  }
  void keep_logo(const std::string& key) {
    const fs::path staged = storage_->staging("logo");
    ASSERT_TRUE(write_file_atomically(staged, key));
    ASSERT_TRUE(storage_->put(staged, key));
  }
  Result<std::optional<plan::InputFile>> logo() {
    auto job = cache_job();
    if (!job) return job.failure();
    return job->inputs.logo;
  }
  Result<render::RenderJob> cache_job() {
    InputCache cache = new_cache();
    return whole_job(leased(), cache);
  }

  jobs::NewJob wish_;
  testing_support::CallCounter counter_;
  std::optional<testing_support::FaultInjectingStorage> counted_;
};

TEST_F(JobInputs, AreTheFilesInOrderWithTheirHashes) {
  keep_image("assets/acme/b.png", "other");
  wish_.job.spec.assets.images.push_back("storage://assets/acme/b.png");
  wish_.job.spec.assets.mask = "storage://assets/acme/a.png";
  const auto job = cache_job();
  ASSERT_TRUE(job) << job.failure().detail;
  ASSERT_EQ(job->inputs.images.size(), 2U);
  EXPECT_EQ(job->inputs.images[1].sha256, sha256_hex("other"));
  EXPECT_EQ(*read_file(job->inputs.images[0].path), "picture");
  EXPECT_EQ(job->inputs.mask->sha256, sha256_hex("picture"));
  EXPECT_FALSE(job->inputs.logo);
}

TEST_F(JobInputs, OfAnotherTenantAreNotFound) {
  wish_.job.tenant = "other";
  EXPECT_EQ(cache_job().failure().kind, FailureKind::kNotFound);
}

TEST_F(JobInputs, TheLogoIsTheFirstThereIsAndOnlyForBrandSafeJobs) {
  keep_logo("assets/brand_logo.png");
  EXPECT_FALSE(*logo());
  wish_.job.spec.brand_safe = true;
  for (const char* key : {"assets/brand_logo.png", "brand/watermark.png", "brand/logo.png"}) {
    keep_logo(key);
    EXPECT_EQ((*logo())->sha256, sha256_hex(key));
  }
}

// Two workers started in different folders must draw the same film.
TEST_F(JobInputs, TheLogoIsNeverLookedForInTheCurrentFolder) {
  wish_.job.spec.brand_safe = true;
  const fs::path before = fs::current_path();
  fs::create_directories(folder_.path() / "cwd/assets");
  ASSERT_TRUE(write_file_atomically(folder_.path() / "cwd/assets/brand_logo.png", "here"));
  fs::current_path(folder_.path() / "cwd");
  const auto found = logo();
  fs::current_path(before);
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

// A storage that can't be asked has not said that there is no logo: else the job would be drawn
// without one, or with another.
TEST_F(JobInputs, AreNotFoundWithAnotherLogoWhenStorageIsAway) {
  class Away final : public testing_support::FaultPlan {
    Answer before_call() override { return Answer::kRefuse; }
    void after_call() override {}
  } away;
  testing_support::FaultInjectingStorage storage(*storage_, away);
  InputCache cache(*store_, storage, clock_);
  EXPECT_EQ(cache.logo().failure().kind, FailureKind::kUnavailable);
}

TEST_F(JobInputs, OfASegmentAreItsOwnAndItsNeighbours) {
  give_images(20);
  InputCache cache = new_cache();
  const auto job = job_for_segment(leased(), 7, cache);
  ASSERT_TRUE(job) << job.failure().detail;
  ASSERT_EQ(job->inputs.images.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    const bool own = i == 6 || i == 7;
    EXPECT_EQ(!job->inputs.images[i].path.empty(), own) << i;
    EXPECT_EQ(!job->inputs.images[i].sha256.empty(), own) << i;
  }
  EXPECT_EQ(counter_.calls, 2);
}

TEST_F(JobInputs, OfASegmentHoldTheHashesThatItsKeyTakes) {
  give_images(20);
  wish_.job.spec.captions_plan.timings = {{0, 60, "over all of it"}};
  InputCache cache = new_cache();
  const auto job = job_for_segment(leased(), 7, cache);
  ASSERT_TRUE(job) << job.failure().detail;
  for (const auto& image : job->inputs.images) EXPECT_FALSE(image.sha256.empty());
  EXPECT_EQ(counter_.calls, 6);  // its own two, and those that the caption is measured on
  EXPECT_EQ(*renderer_.content_key(*job, 7), renderer_.content_keys(*cache_job())->at(7));
}

TEST_F(JobInputs, OfContentKeysAreHashesAlone) {
  give_images(20);
  wish_.segments[3].footage = plan::SourceKind::kClip;
  wish_.segments[3].footage_sha256 = "made";
  InputCache cache = new_cache();
  const auto job = job_for_keys(leased(), cache);
  ASSERT_TRUE(job) << job.failure().detail;
  EXPECT_EQ(job->inputs.images[19].sha256, sha256_hex("picture 19"));
  EXPECT_TRUE(job->inputs.images[19].path.empty());
  EXPECT_EQ(job->footage[3].clip->sha256, "made");
  EXPECT_EQ(counter_.calls, 0);
}

TEST_F(JobInputs, AreAskedForOnceAWhileAndReadAgainOnlyWhenTheyChanged) {
  InputCache cache = new_cache();
  ASSERT_TRUE(job_for_segment(leased(), 0, cache));
  ASSERT_TRUE(job_for_segment(leased(), 1, cache));
  EXPECT_EQ(counter_.calls, 1);
  clock_.advance(std::chrono::minutes(11));
  ASSERT_TRUE(job_for_segment(leased(), 1, cache));
  EXPECT_EQ(counter_.calls, 2);
  overwrite("assets/acme/a.png", "another");
  EXPECT_EQ(job_for_segment(leased(), 2, cache).failure().detail,
            "lost input: storage://assets/acme/a.png has other bytes than were uploaded");
  ASSERT_TRUE(storage_->remove("assets/acme/a.png"));
  EXPECT_EQ(job_for_segment(leased(), 2, cache).failure().detail,
            "lost input: storage://assets/acme/a.png is gone");
}

}  // namespace pytoon::worker
