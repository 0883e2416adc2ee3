#include "server/jobs/garbage_collector.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/files.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs {
namespace fs = std::filesystem;
using std::chrono::hours;

class GarbageCollectorTest : public testing::Test {
 protected:
  void put(const std::string& key, hours age) {
    const fs::path staged = storage_->staging("file");
    ASSERT_TRUE(write_file_atomically(staged, "bytes"));
    ASSERT_TRUE(storage_->put(staged, key));
    // File times count from another epoch than ours.
    const auto wall = std::chrono::file_clock::from_sys(clock_.now() - age);
    fs::last_write_time(folder_.path() / "storage" / key,
                        std::chrono::time_point_cast<fs::file_time_type::duration>(wall));
  }
  // A job whose only segment is the object, ended now.
  void end_job(const std::string& id, const std::string& object) {
    ASSERT_TRUE(store_->create(testing_support::sample_job(id, "acme", 5, 1), 100));
    const LeaseRequest request{
        "w", {TaskKind::kPrepare, TaskKind::kRender, TaskKind::kFinish}, {"x264"}};
    const auto next = [&] { return **store_->lease_next(request, std::chrono::seconds(20)); };
    const LeasedTask first = next();
    PrepareResult preparation{"x264", first.segments, false};
    preparation.segments[0].footage = render::Footage::kImages;
    ASSERT_TRUE(store_->prepared(first.lease, preparation));
    const LeasedTask drawing = next();
    Segment segment = drawing.segments.at(0);
    segment.status = SegmentStatus::kDone;
    segment.artifact_key = object;
    ASSERT_TRUE(store_->segment_done(drawing.lease, segment, 1.0));
    ASSERT_TRUE(store_->finished(next().lease, ""));
  }
  void sweep(SweeperOptions options = {}) {
    GarbageCollector gc(*store_, *store_, *storage_, clock_, log_, options);
    int steps = 0;
    while (gc.step()) ASSERT_LT(++steps, 100);
    EXPECT_GE(steps, 2);
  }
  bool logged(const std::string& text) { return lines_.str().find(text) != std::string::npos; }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  std::unique_ptr<io::FileStorage> storage_ = *io::FileStorage::open(folder_.path() / "storage", 0);
};

TEST_F(GarbageCollectorTest, OldObjectsThatNoRowNamesGo) {
  put("segments/named.1.mp4", hours(100));
  put("segments/loser.2.mp4", hours(100));
  put("segments/young.3.mp4", hours(23));
  put("assets/acme/a.png", hours(100));
  end_job("a", "segments/named.1.mp4");
  put("jobs/a/output.mp4", hours(100));
  sweep();
  EXPECT_FALSE(*storage_->contains("segments/loser.2.mp4"));
  for (const char* key :
       {"segments/named.1.mp4", "segments/young.3.mp4", "assets/acme/a.png", "jobs/a/output.mp4"}) {
    EXPECT_TRUE(*storage_->contains(key)) << key;
  }
  EXPECT_TRUE(logged("\"segments_removed\":1"));
  EXPECT_TRUE(logged("\"jobs_expired\":0"));
}

TEST_F(GarbageCollectorTest, FilesOfEndedJobsGoAfterTheRetention) {
  end_job("old", "segments/old.1.mp4");
  ASSERT_TRUE(store_->create(testing_support::sample_job("live"), 100));
  ASSERT_TRUE(store_->create(testing_support::sample_job("young"), 100));
  clock_.advance(hours(24 * 8));
  ASSERT_TRUE(store_->cancel("young"));
  for (const char* id : {"old", "live", "young", "unknown"}) {
    put(std::string("jobs/") + id + "/output.mp4", hours(24 * 8));
  }
  put("segments/old.1.mp4", hours(24 * 8));
  ASSERT_TRUE(storage_->link("segments/old.1.mp4", "jobs/old/segments/seg_000.mp4"));
  sweep({.retention = hours(24 * 7)});
  EXPECT_FALSE(*storage_->contains("jobs/old/output.mp4"));
  EXPECT_FALSE(*storage_->contains("segments/old.1.mp4"));
  EXPECT_FALSE(fs::is_symlink(folder_.path() / "storage/jobs/old/segments/seg_000.mp4"));
  EXPECT_TRUE(*storage_->contains("jobs/live/output.mp4"));
  EXPECT_TRUE(*storage_->contains("jobs/young/output.mp4"));
  EXPECT_TRUE(*storage_->contains("jobs/unknown/output.mp4")) << "of a job that nobody knows";
  EXPECT_TRUE(logged("\"jobs_expired\":1,\"jobs_unknown\":1"));
  EXPECT_EQ(store_->job("old")->status, JobStatus::kDone) << "the record stays";
}

TEST_F(GarbageCollectorTest, ToldEventsAreForgottenAfterAMonth) {
  NewJob order = testing_support::sample_job("a");
  order.job.webhook_url = "https://example.com";
  ASSERT_TRUE(store_->create(order, 100));
  ASSERT_TRUE(store_->cancel("a"));
  const auto event = store_->take_events(1, std::chrono::seconds(60));
  ASSERT_TRUE(store_->event_delivered(event->at(0)));
  clock_.advance(hours(24 * 29));
  sweep();
  EXPECT_TRUE(store_->redeliver("a"));
  ASSERT_TRUE(store_->event_delivered(store_->take_events(1, std::chrono::seconds(60))->at(0)));
  clock_.advance(hours(24 * 31));
  sweep();
  EXPECT_EQ(store_->redeliver("a").failure().kind, FailureKind::kNotFound);
}

TEST_F(GarbageCollectorTest, RestsBetweenTwoRounds) {
  GarbageCollector gc(*store_, *store_, *storage_, clock_, log_, {});
  while (gc.step()) {
  }
  clock_.advance(hours(5));
  EXPECT_FALSE(gc.step());
  clock_.advance(hours(1));
  EXPECT_TRUE(gc.step());
}

}  // namespace pytoon::jobs
