// Segments that another job of the tenant has finished are taken, not drawn.
#include <nlohmann/json.hpp>

#include "server/worker/task.h"
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
namespace {

class ReuseTest : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    options_.reuse = true;
    submit(order("a"));
    finish(*worker());
    ASSERT_EQ(renderer_.calls(), 3);
  }
  // Whose segments depend on their own images alone.
  jobs::NewJob plain(const std::string& id) {
    auto made = order(id);
    made.job.spec.captions_plan.timings.clear();
    made.job.spec.transition.duration_ms = 0;
    return made;
  }
  nlohmann::json metadata(const std::string& id) {
    return nlohmann::json::parse(read("jobs/" + id + "/metadata.json"));
  }
};

TEST_F(ReuseTest, TheSameJobAgainDrawsNothingAndSaysSo) {
  submit(order("b"));
  finish(*worker(), "b");
  EXPECT_EQ(renderer_.calls(), 3);
  EXPECT_EQ(read("jobs/b/output.mp4"), read("jobs/a/output.mp4"));
  EXPECT_EQ(job("a").segments_reused, 0);
  EXPECT_EQ(job("b").segments_reused, 3);
  EXPECT_EQ(metadata("a")["segments_reused"], 0);
  EXPECT_EQ(metadata("b")["segments_reused"], 3);
  EXPECT_EQ(metadata("b")["segments"][1]["reused"], true);
  EXPECT_EQ(metrics_.segments["reused"], 3);
  EXPECT_EQ(metrics_.segments["local_compositor"], 3) << "no time of a segment that was not drawn";
  EXPECT_EQ(logged("segment_reused"), 3);
}

TEST_F(ReuseTest, AChangeDrawsOnlyWhatItChanges) {
  submit(plain("b"));
  finish(*worker(), "b");
  const int before = renderer_.calls();
  auto other = plain("c");
  keep_image("assets/acme/b.png", "another picture");
  other.job.spec.assets.images = {"storage://assets/acme/a.png", "storage://assets/acme/a.png",
                                  "storage://assets/acme/b.png"};
  submit(other);
  finish(*worker(), "c");
  EXPECT_EQ(renderer_.calls(), before + 1);
  EXPECT_EQ(job("c").segments_reused, 2);
  EXPECT_EQ(metadata("c")["segments"][2]["reused"], false);
}

TEST_F(ReuseTest, ATakenSegmentOutlivesTheJobItCameFrom) {
  submit(order("b"));
  finish(*worker(), "b");
  const auto gone = store_->delete_job("a");
  ASSERT_TRUE(gone);
  fs::remove_all(root() / "jobs/a");
  for (const std::string& key : *gone) ASSERT_TRUE(storage_->remove(key) || key.ends_with("/"));
  const auto segments = *store_->segments("b");
  for (const auto& segment : segments) {
    EXPECT_TRUE(*intact(segment, *storage_)) << segment.index;
  }
  submit(order("c"));
  finish(*worker(), "c");
  EXPECT_EQ(renderer_.calls(), 3) << "those of b serve as well";
}

TEST_F(ReuseTest, AnotherTenantsSegmentsAreNotTaken) {
  auto strangers = order("b");
  strangers.job.tenant = "globex";
  keep_image("assets/globex/a.png", "picture", "globex");
  strangers.job.spec.assets.images = {"storage://assets/globex/a.png"};
  submit(strangers);
  finish(*worker(), "b");
  EXPECT_EQ(job("b").status, jobs::JobStatus::kDone) << job("b").error;
  EXPECT_EQ(store_->segments("b")->front().content_key, store_->segments("a")->front().content_key);
  EXPECT_EQ(renderer_.calls(), 6);
  EXPECT_EQ(job("b").segments_reused, 0);
}

TEST_F(ReuseTest, AJobAndAnOperatorMaySayNo) {
  auto anew = order("b");
  anew.job.spec.reuse = false;
  submit(anew);
  finish(*worker(), "b");
  EXPECT_EQ(renderer_.calls(), 6);
  options_.reuse = false;
  submit(order("c"));
  finish(*worker(), "c");
  EXPECT_EQ(renderer_.calls(), 9);
}

TEST_F(ReuseTest, WhatIsGoneOrBrokenIsDrawn) {
  const auto segments = *store_->segments("a");
  ASSERT_TRUE(storage_->remove(segments[0].artifact_key));
  overwrite(segments[1].artifact_key, "scrambled");
  submit(order("b"));
  finish(*worker(), "b");
  EXPECT_EQ(job("b").status, jobs::JobStatus::kDone);
  EXPECT_EQ(renderer_.calls(), 5);
  EXPECT_EQ(job("b").segments_reused, 1);
}

TEST_F(ReuseTest, OneThatIsLostIsDrawnAnewAndNoLongerCountsAsTaken) {
  submit(order("b"));
  const auto subject = worker();
  finish_segments(*subject, "b", 3);
  EXPECT_EQ(job("b").segments_reused, 3);
  ASSERT_TRUE(storage_->remove(store_->segments("b")->at(1).artifact_key));
  ASSERT_TRUE(storage_->remove(store_->segments("a")->at(1).artifact_key));
  finish(*subject, "b");
  EXPECT_EQ(job("b").status, jobs::JobStatus::kDone);
  EXPECT_EQ(job("b").segments_reused, 2);
  EXPECT_EQ(renderer_.calls(), 4);
}

}  // namespace
}  // namespace pytoon::worker
