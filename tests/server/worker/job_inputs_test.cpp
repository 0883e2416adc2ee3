#include "server/worker/job_inputs.h"

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {

class JobInputs : public RunFixture {
 protected:
  Result<render::Inputs> fetch(const fs::path& last_logo = "") {
    return fetch_inputs(wish_.job, *store_, *storage_, last_logo);
  }
  void keep_logo(const std::string& key) {
    const fs::path staged = storage_->staging("logo");
    ASSERT_TRUE(write_file_atomically(staged, key));
    ASSERT_TRUE(storage_->put(staged, key));
  }
  jobs::NewJob wish_;

  void SetUp() override {
    RunFixture::SetUp();
    wish_ = order("a");
  }
};

TEST_F(JobInputs, AreTheFilesInOrderWithTheirHashes) {
  keep_image("assets/acme/b.png", "other");
  wish_.job.spec.assets.images.push_back("storage://assets/acme/b.png");
  wish_.job.spec.assets.mask = "storage://assets/acme/a.png";
  const auto inputs = fetch();
  ASSERT_TRUE(inputs) << inputs.failure().detail;
  ASSERT_EQ(inputs->images.size(), 2U);
  EXPECT_EQ(inputs->images[1].sha256, sha256_hex("other"));
  EXPECT_EQ(*read_file(inputs->images[0].path), "picture");
  EXPECT_EQ(inputs->mask->sha256, sha256_hex("picture"));
  EXPECT_FALSE(inputs->logo);
}

TEST_F(JobInputs, OfAnotherTenantAreNotFound) {
  wish_.job.tenant = "other";
  EXPECT_EQ(fetch().failure().kind, FailureKind::kNotFound);
}

// Else the job would be drawn without its logo, or with another one.
TEST_F(JobInputs, AStorageThatCantBeAskedForTheLogoHasNotLostIt) {
  class Away final : public testing_support::FaultPlan {
   public:
    Answer before_call() override { return Answer::kRefuse; }
    void after_call() override {}
  } away;
  testing_support::FaultInjectingStorage storage(*storage_, away);
  wish_.job.spec.brand_safe = true;
  wish_.job.spec.assets.images.clear();
  const auto inputs = fetch_inputs(wish_.job, *store_, storage, "");
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.failure().kind, FailureKind::kUnavailable);
}

TEST_F(JobInputs, TheLogoIsTheFirstThereIsAndOnlyForBrandSafeJobs) {
  const fs::path shipped = folder_.path() / "brand_logo.png";
  ASSERT_TRUE(write_file_atomically(shipped, "shipped"));
  EXPECT_FALSE(fetch(shipped)->logo);
  wish_.job.spec.brand_safe = true;
  EXPECT_FALSE(fetch()->logo);
  EXPECT_FALSE(fetch(folder_.path() / "missing.png")->logo);
  EXPECT_EQ(fetch(shipped)->logo->path, shipped);
  keep_logo("brand/watermark.png");
  EXPECT_EQ(fetch(shipped)->logo->sha256, sha256_hex("brand/watermark.png"));
  keep_logo("brand/logo.png");
  EXPECT_EQ(fetch(shipped)->logo->sha256, sha256_hex("brand/logo.png"));
}

}  // namespace pytoon::worker
