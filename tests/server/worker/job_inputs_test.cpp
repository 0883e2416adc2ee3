#include "server/worker/job_inputs.h"

#include "tests/server/worker/run_fixture.h"
#include "tests/support/fault_injection.h"

namespace pytoon::worker {

class JobInputs : public RunFixture {
 protected:
  Result<render::Inputs> fetch() { return fetch_inputs(wish_.job, *store_, *storage_); }
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

TEST_F(JobInputs, TheLogoIsTheFirstThereIsAndOnlyForBrandSafeJobs) {
  keep_logo("assets/brand_logo.png");
  EXPECT_FALSE(fetch()->logo);
  wish_.job.spec.brand_safe = true;
  for (const char* key : {"assets/brand_logo.png", "brand/watermark.png", "brand/logo.png"}) {
    keep_logo(key);
    EXPECT_EQ(fetch()->logo->sha256, sha256_hex(key));
  }
}

// Two workers started in different folders must draw the same film.
TEST_F(JobInputs, TheLogoIsNeverLookedForInTheCurrentFolder) {
  wish_.job.spec.brand_safe = true;
  const fs::path before = fs::current_path();
  fs::create_directories(folder_.path() / "cwd/assets");
  ASSERT_TRUE(write_file_atomically(folder_.path() / "cwd/assets/brand_logo.png", "here"));
  fs::current_path(folder_.path() / "cwd");
  const auto inputs = fetch();
  fs::current_path(before);
  ASSERT_TRUE(inputs);
  EXPECT_FALSE(inputs->logo);
}

class RefusesAll final : public testing_support::FaultPlan {
 public:
  Answer before_call() override { return Answer::kRefuse; }
  void after_call() override {}
};

TEST_F(JobInputs, AStorageThatCantBeAskedHasNotNoLogo) {
  wish_.job.spec.brand_safe = true;
  wish_.job.spec.assets = {};
  RefusesAll faults;
  testing_support::FaultInjectingStorage away(*storage_, faults);
  const auto inputs = fetch_inputs(wish_.job, *store_, away);
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.failure().kind, FailureKind::kUnavailable);
}

}  // namespace pytoon::worker
