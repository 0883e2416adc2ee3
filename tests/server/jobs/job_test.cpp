#include "server/jobs/job.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "server/jobs/service.h"
#include "server/jobs/transitions.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs {

constexpr std::array kAll{
    JobStatus::kQueued, JobStatus::kPlanning, JobStatus::kRenderingSegments, JobStatus::kAssembling,
    JobStatus::kDone,   JobStatus::kFailed,   JobStatus::kCancelled};

TEST(JobNames, GoBothWays) {
  for (const JobStatus status : kAll) EXPECT_EQ(job_status_from_name(name_of(status)), status);
  EXPECT_EQ(name_of(JobStatus::kRenderingSegments), "RENDERING_SEGMENTS");
  EXPECT_EQ(segment_status_from_name("DONE"), SegmentStatus::kDone);
  EXPECT_FALSE(job_status_from_name("done"));
  EXPECT_FALSE(segment_status_from_name("QUEUED"));
}

TEST(Job, FilesOfSegmentsAreNumbered) {
  EXPECT_EQ(segment_file(7), "segments/seg_007.mp4");
  EXPECT_EQ(segment_file(123), "segments/seg_123.mp4");
  EXPECT_EQ(segment_file(1000), "segments/seg_1000.mp4");
  EXPECT_EQ(segment_link_key("id", 20), "jobs/id/segments/seg_020.mp4");
}

TEST(Transitions, AreTheseAndNoOthers) {
  using enum JobStatus;
  const std::set<std::pair<JobStatus, JobStatus>> allowed{
      {kQueued, kPlanning},
      {kPlanning, kRenderingSegments},
      {kRenderingSegments, kAssembling},
      {kAssembling, kDone},
      {kQueued, kFailed},
      {kPlanning, kFailed},
      {kRenderingSegments, kFailed},
      {kAssembling, kFailed},
      {kQueued, kCancelled},
      {kPlanning, kCancelled},
      {kRenderingSegments, kCancelled},
      {kAssembling, kCancelled},
      {kFailed, kQueued},
  };
  for (const JobStatus from : kAll) {
    for (const JobStatus to : kAll) {
      EXPECT_EQ(may_follow(from, to), allowed.contains({from, to}))
          << name_of(from) << " -> " << name_of(to);
    }
  }
  EXPECT_EQ(check_transition(kDone, kFailed).failure().kind, FailureKind::kConflict);
}

TEST(JobJson, ShowsUrisOnlyWhenDone) {
  Job job = testing_support::sample_job("id").job;
  job.status = JobStatus::kAssembling;
  job.progress_pct = 96;
  auto shown = to_json(job);
  EXPECT_EQ(shown["job_id"], "id");
  EXPECT_EQ(shown["status"], "ASSEMBLING");
  EXPECT_EQ(shown["archetype"], "PRODUCT_HERO");
  EXPECT_EQ(shown["preset_id"], "product_hero_clean");
  EXPECT_EQ(shown["target_duration_seconds"], 9);
  EXPECT_EQ(shown["progress_pct"], 96);
  EXPECT_EQ(shown["created_at"], "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(shown["fallback_used"], false);
  for (const char* name :
       {"output_uri", "thumbnail_uri", "metadata_uri", "fallback_reason", "error"}) {
    EXPECT_TRUE(shown[name].is_null()) << name;
  }
  job.status = JobStatus::kDone;
  shown = to_json(job);
  EXPECT_EQ(shown["output_uri"], "storage://jobs/id/output.mp4");
  EXPECT_EQ(shown["thumbnail_uri"], "storage://jobs/id/thumbnail.jpg");
  EXPECT_EQ(shown["metadata_uri"], "storage://jobs/id/metadata.json");
}

TEST(JobJson, SegmentsShowTheirFileWhenTheyHaveOne) {
  std::vector<Segment> segments(2);
  segments[1].index = 1;
  segments[1].status = SegmentStatus::kDone;
  segments[1].duration_seconds = 3;
  segments[1].engine_used = "template";
  segments[1].artifact_key = "segments/k.1.mp4";
  const auto shown = to_json("id", segments);
  EXPECT_EQ(shown["job_id"], "id");
  EXPECT_TRUE(shown["segments"][0]["artifact_uri"].is_null());
  EXPECT_TRUE(shown["segments"][0]["engine_used"].is_null());
  EXPECT_EQ(shown["segments"][1]["artifact_uri"], "storage://jobs/id/segments/seg_001.mp4");
  EXPECT_EQ(shown["segments"][1]["status"], "DONE");
  EXPECT_EQ(shown["segments"][1]["engine_used"], "template");
}

}  // namespace pytoon::jobs
