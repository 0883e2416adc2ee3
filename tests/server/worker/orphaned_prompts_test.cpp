#include "server/worker/orphaned_prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/curl_client.h"
#include "tests/server/worker/quiet_parts.h"
#include "tests/support/fake_comfyui_server.h"

namespace pytoon::worker {
namespace {

using testing::IsEmpty;

// Prompts on a ComfyUI, and a store that knows the jobs they were ordered for.
class OrphanedPromptsTest : public testing::Test {
 protected:
  OrphanedPromptsTest() {
    comfy_.plan.fault = support::ComfyPlan::Fault::kUnfinished;
    comfy_.newer_save_video = false;  // what is ordered here is written so
    for (const char* job : {"cancelled", "wanted"}) {
      EXPECT_TRUE(store_->create(testing_support::sample_job(job), {100}));
    }
  }
  // The prompt's id.
  std::string order(const std::string& task) {
    const std::string prompt = ids_.next();
    const nlohmann::json inputs{{"video", {"0", 0}},
                                {"filename_prefix", "pytoon/" + prompt},
                                {"format", "mp4"},
                                {"codec", "h264"}};
    const nlohmann::json graph{{"1", {{"class_type", "SaveVideo"}, {"inputs", inputs}}}};
    const auto taken = server_.submit(graph, prompt, prompt, task, {});
    EXPECT_TRUE(taken) << taken.failure().detail;
    EXPECT_EQ(taken->rejection, "");
    return prompt;
  }
  std::vector<std::string> stopped() {
    std::vector<std::string> all = comfy_.taken_out;
    all.insert(all.end(), comfy_.interrupted.begin(), comfy_.interrupted.end());
    std::ranges::sort(all);
    return all;
  }

  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  support::TemporaryFolder folder_;
  std::unique_ptr<io::SqlStore> store_ =
      io::open_sqlite_store(folder_.path() / "pytoon.db", clock_).value();
  support::FakeComfyServer comfy_;
  CurlClient http_;
  testing_support::CountingIds ids_;
  engines::ComfyServer server_{
      http_, clock_, parse_web_address(comfy_.url()).value(), EgressScope::kPrivate, {}};
  OrphanedPrompts orphans_{{&server_}, *store_, clock_, log_};
};

TEST_F(OrphanedPromptsTest, APromptOfACancelledJobIsStoppedAtTheSecondLook) {
  const std::string prompt = order("cancelled/1/2/wan");
  orphans_.look();
  orphans_.look();
  EXPECT_THAT(stopped(), IsEmpty()) << "its job is under way";
  ASSERT_TRUE(store_->cancel("cancelled"));
  orphans_.look();
  EXPECT_THAT(stopped(), IsEmpty()) << "its process may be doing it right now";
  orphans_.look();
  EXPECT_THAT(stopped(), testing::Contains(prompt));
  EXPECT_NE(lines_.str().find("comfyui_prompt_orphaned"), std::string::npos);
}

TEST_F(OrphanedPromptsTest, WhatMayBeNeededOrIsNotOursGoesOn) {
  ASSERT_TRUE(store_->cancel("cancelled"));
  order("wanted/1/0/wan");     // of a job under way
  order("elsewhere/1/0/wan");  // of another installation
  order("a song");             // of something else
  order("cancelled/x/0/wan");
  orphans_.look();
  orphans_.look();
  EXPECT_THAT(stopped(), IsEmpty());
}

TEST_F(OrphanedPromptsTest, APromptOfARunBeforeIsNeededNoMore) {
  const std::string before = order("wanted/1/0/wan");
  ASSERT_TRUE(store_->force_fail("wanted", "stuck"));
  ASSERT_TRUE(store_->retry("wanted"));
  const std::string now = order("wanted/2/0/wan");
  orphans_.look();
  orphans_.look();
  EXPECT_THAT(stopped(), testing::Contains(before));
  EXPECT_THAT(stopped(), testing::Not(testing::Contains(now)));
}

}  // namespace
}  // namespace pytoon::worker
