// Two jobs side by side, each over a clip of its own: one of the clips takes its decoder's life
// whenever it is drawn. That job ends as a video all the same, with cards, and says why; the other
// one hears nothing of it.
#include <nlohmann/json.hpp>

#include "server/app/local_request.h"
#include "tests/pipeline/clip/clip_files.h"
#include "tests/pipeline/decoder/hostile_host_options.h"
#include "tests/server/app/application_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::app {
namespace {

constexpr std::chrono::minutes kPatience{5};
// hostile_host.cpp: its decoder crashes at the sixth frame, and one as wide does not.
constexpr int kHostileWidth = 66;
constexpr int kInnocentWidth = 64;

class HostileClipJob : public ApplicationTest {
 protected:
  void SetUp() override {
    open(Role::kRender, std::make_shared<media::ChildDecoder>(media::hostile_host_options()), 2);
  }

  std::string submit(const std::string& name, int width) {
    media::make_clip(folder_.path(), name + ".mp4", 12, "30", media::kH264, {width, 96});
    const std::filesystem::path request = folder_.path() / (name + ".json");
    EXPECT_TRUE(write_file_atomically(request, nlohmann::json{{"preset_id", "product_hero_clean"},
                                                              {"target_duration_seconds", 6},
                                                              {"quality", "draft"},
                                                              {"clip_uris", {name + ".mp4"}}}
                                                   .dump()));
    const auto body = take_in_request(*application_, request);
    EXPECT_TRUE(body) << body.failure().detail;
    const auto submitted = application_->service().submit(local_owner(), *body, "");
    EXPECT_TRUE(submitted) << submitted.failure().detail;
    return submitted->job_id;
  }
  jobs::Job ended(const std::string& id) {
    const auto job = [&] { return *application_->service().job(local_owner(), id); };
    EXPECT_TRUE(support::eventually([&] { return jobs::is_terminal(job().status); }, kPatience));
    return job();
  }
  std::uint64_t crashes() const {
    std::uint64_t sum = 0;
    for (const media::DecoderDeaths& deaths : stack_.decoder->deaths()) {
      if (deaths.task == "clip" && deaths.reason == "crash") sum += deaths.count;
    }
    return sum;
  }
};

TEST_F(HostileClipJob, BecomesAVideoOfCardsAndHurtsNoOther) {
  const std::string hostile = submit("hostile", kHostileWidth);
  const std::string innocent = submit("innocent", kInnocentWidth);
  const jobs::Job cards = ended(hostile);
  EXPECT_EQ(cards.status, jobs::JobStatus::kDone) << cards.error;
  EXPECT_TRUE(cards.fallback_used);
  EXPECT_NE(cards.fallback_reason.find("could not be read safely"), std::string::npos)
      << cards.fallback_reason;
  EXPECT_EQ(cards.crashes, 0) << "no worker died";
  EXPECT_GT(crashes(), 0U);
  const jobs::Job whole = ended(innocent);
  EXPECT_EQ(whole.status, jobs::JobStatus::kDone) << whole.error;
  EXPECT_FALSE(whole.fallback_used) << whole.fallback_reason;
}

}  // namespace
}  // namespace pytoon::app
