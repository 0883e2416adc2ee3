// A plan's weight on its whole way, from config/plans.yaml to who is given the next task.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "tests/server/app/application_fixture.h"

namespace pytoon::app {
namespace {

class PlanWeight : public ApplicationTest {
 protected:
  void SetUp() override {
    config_folder_ = folder_.path() / "config";
    std::filesystem::copy(support::source_dir() / "config", config_folder_,
                          std::filesystem::copy_options::recursive);
    ASSERT_TRUE(
        write_file_atomically(config_folder_ / "plans.yaml", "plans: {gold: {weight: 3}}\n"));
    open(Role::kApi, std::make_shared<media::LocalDecoder>(), 1);
  }

  void submit(const std::string& tenant, const std::string& plan) {
    const jobs::Caller caller{.tenant = tenant, .may_submit = true, .may_read = true, .plan = plan};
    const auto submitted = application_->service().submit(
        caller, {{"preset_id", "product_hero_clean"}, {"target_duration_seconds", 1}}, "");
    ASSERT_TRUE(submitted) << submitted.failure().detail;
  }
};

TEST_F(PlanWeight, OfTheFileIsTheShareOfItsTenants) {
  for (int i = 0; i < 8; ++i) {
    submit("free", "default");
    submit("paying", "gold");
  }
  std::string turns;
  for (int i = 0; i < 8; ++i) {
    const auto leased =
        store_->lease_next({"worker", {jobs::TaskKind::kPrepare}, {}}, std::chrono::minutes(1));
    ASSERT_TRUE(leased && *leased);
    turns += (*leased)->job.tenant[0];
  }
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'p'), 6) << turns;
}

}  // namespace
}  // namespace pytoon::app
