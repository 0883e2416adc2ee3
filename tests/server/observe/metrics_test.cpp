#include "server/observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::observe {
using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  testing_support::HandClock clock_;
  std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  Metrics metrics_{*store_};
};

TEST_F(MetricsTest, CountersBeginAtZero) {
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_render_success_total{archetype=\"OVERLAY\"} 0\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_fallback_total{type=\"template\"} 0\n"));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("pytoon_degraded_total{from=\"h264_nvenc\",to=\"libx264\"} 0\n"));
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("pytoon_render_failure_total{")));
}

TEST_F(MetricsTest, AProcessThatMustBeStartedAnewSaysSo) {
  std::ostringstream lines;
  Log log(clock_, lines);
  jobs::ProcessHealth process(log);
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_process_unusable 0\n"));
  metrics_.watch_process(process);
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_process_unusable 0\n"));
  process.mark_unusable("the context is lost");
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_process_unusable 1\n"));
}

TEST_F(MetricsTest, PoolsOfSeveralSourcesAreShown) {
  metrics_.watch_pools([] { return std::vector<jobs::PoolState>{{"render", 4, 3, 1, 0}}; });
  metrics_.watch_pools([] { return std::vector<jobs::PoolState>{{"http_uploads", 2, 2, 0, 5}}; });
  const std::string text = metrics_.text();
  for (const char* line :
       {"pytoon_pool_threads{pool=\"render\"} 4\n", "pytoon_pool_busy{pool=\"render\"} 3\n",
        "pytoon_pool_lost_threads{pool=\"render\"} 1\n",
        "pytoon_pool_queue_length{pool=\"http_uploads\"} 5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, EveryEventIsCountedUnderItsLabels) {
  metrics_.job_created(spec::Archetype::kOverlay, "overlay_glow");
  metrics_.job_created(spec::Archetype::kOverlay, "overlay_glow");
  metrics_.job_done(spec::Archetype::kMemeText, 3.5);
  metrics_.job_failed(spec::Archetype::kMemeText, "lost-input");
  metrics_.fallback_used("template");
  metrics_.degraded("h264_nvenc", "libx264");
  metrics_.segment_rendered("local_compositor", 1.5);
  metrics_.job_cancelled(spec::Archetype::kOverlay);
  metrics_.job_retried(spec::Archetype::kOverlay);
  metrics_.task_reaped(jobs::TaskKind::kRender);
  metrics_.lease_lost(jobs::TaskKind::kFinish);
  metrics_.job_quarantined();
  metrics_.webhook_tried(jobs::WebhookOutcome::kDeadLetter);
  metrics_.http_request("GET", "/api/v1/jobs/{id}", 200, 0.02);
  const std::string text = metrics_.text();
  for (const char* line : {
           "pytoon_render_jobs_total{archetype=\"OVERLAY\",preset=\"overlay_glow\"} 2\n",
           "pytoon_render_success_total{archetype=\"MEME_TEXT\"} 1\n",
           "pytoon_job_total_seconds_sum{archetype=\"MEME_TEXT\"} 3.5\n",
           "pytoon_job_total_seconds_bucket{archetype=\"MEME_TEXT\",le=\"2\"} 0\n",
           "pytoon_job_total_seconds_bucket{archetype=\"MEME_TEXT\",le=\"5\"} 1\n",
           "pytoon_render_failure_total{archetype=\"MEME_TEXT\",reason=\"lost-input\"} 1\n",
           "pytoon_fallback_total{type=\"template\"} 1\n",
           "pytoon_degraded_total{from=\"h264_nvenc\",to=\"libx264\"} 1\n",
           "pytoon_segment_render_seconds_count{engine=\"local_compositor\"} 1\n",
           "pytoon_jobs_cancelled_total{archetype=\"OVERLAY\"} 1\n",
           "pytoon_jobs_retried_total{archetype=\"OVERLAY\"} 1\n",
           "pytoon_tasks_reaped_total{task=\"render\",work=\"render\"} 1\n",
           "pytoon_tasks_reaped_total{task=\"finish\",work=\"finish\"} 0\n",
           "pytoon_leases_lost_total{task=\"finish\",work=\"finish\"} 1\n",
           "pytoon_jobs_quarantined_total 1\n",
           "pytoon_webhook_attempts_total{outcome=\"dead_letter\"} 1\n",
           "pytoon_webhook_attempts_total{outcome=\"delivered\"} 0\n",
           "pytoon_http_request_seconds_count{method=\"GET\",route=\"/api/v1/jobs/{id}\","
           "status=\"200\"} 1\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, WhatAdmissionDecidesIsCounted) {
  using jobs::admission::Decision;
  using jobs::admission::Lane;
  using jobs::admission::Reason;
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_admission_violations_total{cause=\"ours\"} 0\n"));
  metrics_.admission_decided(Lane::kRender, Decision::Kind::kWait, Reason::kVramExhausted);
  metrics_.admission_decided(Lane::kRender, Decision::Kind::kWait, Reason::kVramExhausted);
  metrics_.admission_waited(Lane::kGenerate, 1.5);
  metrics_.admission_violation(jobs::admission::ViolationCause::kForeign);
  metrics_.headroom_used();
  metrics_.model_reloaded();
  metrics_.profile_error("wan_i2v", 1.25);
  metrics_.profile_error("wan_i2v", 0.5);
  const std::string text = metrics_.text();
  for (const char* line : {
           "pytoon_admission_decisions_total{decision=\"wait\",lane=\"render\","
           "reason=\"vram_exhausted\"} 2\n",
           "pytoon_admission_wait_seconds_sum{lane=\"generate\"} 1.5\n",
           "pytoon_admission_wait_seconds_count{lane=\"render\"} 0\n",
           "pytoon_admission_violations_total{cause=\"foreign\"} 1\n",
           "pytoon_admission_violations_total{cause=\"ours\"} 0\n",
           "pytoon_admission_headroom_used_total 1\n",
           "pytoon_model_reloads_total 1\n",
           "pytoon_workflow_profile_error_ratio{workflow=\"wan_i2v\"} 0.5\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, CardsAreShownAsTheyWereSampledLast) {
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("pytoon_gpu_memory_bytes{")));
  jobs::admission::GpuUse use{"GPU-a", 24000, 9000, 4000, 1000, 2000, 8000, 512, 3, 8};
  jobs::admission::GpuUse other{"GPU-b", 16000, 16000, 0, 0, 0, 0, 512, {}, {}};
  metrics_.gpus_sampled({use, other});
  const std::string text = metrics_.text();
  for (const char* line : {
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"total\"} 24000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"free\"} 9000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"promised\"} 4000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"held\"} 1000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"foreign\"} 2000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"comfyui\"} 8000\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"headroom\"} 512\n",
           "pytoon_gpu_memory_bytes{gpu=\"GPU-b\",kind=\"free\"} 16000\n",
           "pytoon_encoder_sessions{gpu=\"GPU-a\",kind=\"used\"} 3\n",
           "pytoon_encoder_sessions{gpu=\"GPU-a\",kind=\"allowed\"} 8\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("pytoon_encoder_sessions{gpu=\"GPU-b\"")));
  use.free = 7000;
  metrics_.gpus_sampled({use});
  EXPECT_THAT(metrics_.text(),
              HasSubstr("pytoon_gpu_memory_bytes{gpu=\"GPU-a\",kind=\"free\"} 7000\n"));
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("GPU-b")));
  metrics_.gpus_sampled({});
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("GPU-a")));
}

TEST_F(MetricsTest, TheDepthOfTheQueueIsTheStoresOwn) {
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_queue_depth 0\n"));
  ASSERT_TRUE(store_->create(testing_support::sample_job("a"), {10}));
  ASSERT_TRUE(store_->create(testing_support::sample_job("b"), {10}));
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_queue_depth 2\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_queue_segments 6\n"));
  clock_.advance(std::chrono::seconds(90));
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_queue_oldest_seconds 90\n"));
  ASSERT_TRUE(store_->force_fail("a", "by hand"));
  EXPECT_THAT(metrics_.text(), HasSubstr("pytoon_queue_depth 1\n"));
}

TEST_F(MetricsTest, TheDoorbellIsToldWhereThereIsOne) {
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("pytoon_redis")));
  NotifierInfo facts;
  facts.links = {{"notifier", true, 1, 0}, {"listener", false, 2, 5}};
  facts.sent = 7;
  facts.dropped = 1;
  metrics_.watch_notifier([&facts] { return facts; });
  (void)metrics_.text();
  facts.links[0] = {"notifier", false, 1, 3};
  facts.sent = 9;
  facts.received = 4;
  const std::string text = metrics_.text();
  for (const char* line : {
           "pytoon_redis_up{link=\"notifier\"} 0\n",
           "pytoon_redis_up{link=\"listener\"} 0\n",
           "pytoon_redis_connects_total{link=\"notifier\"} 1\n",
           "pytoon_redis_failures_total{link=\"notifier\"} 3\n",
           "pytoon_redis_failures_total{link=\"listener\"} 5\n",
           "pytoon_redis_wakeups_sent_total{outcome=\"sent\"} 9\n",
           "pytoon_redis_wakeups_sent_total{outcome=\"dropped\"} 1\n",
           "pytoon_redis_wakeups_received_total 4\n",
           "pytoon_redis_rings_total{outcome=\"sent\"} 9\n",  // the old names
           "pytoon_redis_heard_total 4\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace pytoon::observe
