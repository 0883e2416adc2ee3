// Life-cycle and operators' calls of the JobService.
#include <nlohmann/json.hpp>

#include "tests/server/jobs/service_fixture.h"

namespace pytoon::jobs {

class JobControlTest : public JobServiceTest {
 protected:
  void SetUp() override {
    JobServiceTest::SetUp();
    make(0, {.webhooks = Webhooks::kPublic});
  }
  std::string submit(const json& extra = json::object()) {
    json order = body();
    order.update(extra);
    const auto submitted = service_->submit(acme_, order, "");
    EXPECT_TRUE(submitted) << submitted.failure().detail;
    return submitted->job_id;
  }
};

TEST_F(JobControlTest, ACancelledJobIsTakenFromItsWorkerAndShowsNoFile) {
  const std::string id = submit();
  prepare(take(), 5);
  const LeasedTask finishing = take();
  put_file("jobs/" + id + "/output.mp4");
  put_file("jobs/" + id + "/thumbnail.jpg");
  put_file("jobs/" + id + "/metadata.json");
  const int notified = notifier_.notified;

  const auto cancelled = service_->cancel(acme_, id);
  ASSERT_TRUE(cancelled) << cancelled.failure().detail;
  EXPECT_EQ(cancelled->status, JobStatus::kCancelled);
  for (const char* file : {"output.mp4", "thumbnail.jpg", "metadata.json"}) {
    EXPECT_FALSE(*storage_->contains("jobs/" + id + "/" + file)) << file;
  }
  EXPECT_EQ(store_.finished(finishing.lease, "").failure().kind, FailureKind::kConflict);
  EXPECT_EQ(metrics_.cancelled, 1);
  EXPECT_EQ(notifier_.notified, notified);
  const Failure again = service_->cancel(acme_, id).failure();
  EXPECT_EQ(again.kind, FailureKind::kConflict);
  EXPECT_NE(again.detail.find("CANCELLED"), std::string::npos);
  EXPECT_EQ(service_->retry(acme_, id).failure().kind, FailureKind::kConflict);
}

TEST_F(JobControlTest, ARetryKeepsWhatIsFinishedAndRings) {
  const std::string id = submit();
  EXPECT_EQ(service_->retry(acme_, id).failure().kind, FailureKind::kConflict);
  prepare(take(), 2);
  ASSERT_TRUE(service_->force_fail(admin_, id, "stuck"));
  EXPECT_EQ(metrics_.failures["forced"], 1);
  const int notified = notifier_.notified;
  const auto retried = service_->retry(acme_, id);
  ASSERT_TRUE(retried) << retried.failure().detail;
  EXPECT_EQ(retried->status, JobStatus::kQueued);
  EXPECT_EQ(retried->run, 2);
  EXPECT_EQ(retried->error, "");
  EXPECT_EQ(notifier_.notified, notified + 1);
  EXPECT_EQ(metrics_.retried, 1);
  int done = 0;
  const auto segments = store_.segments(id);
  for (const Segment& segment : *segments) {
    done += segment.status == SegmentStatus::kDone;
  }
  EXPECT_EQ(done, 2);
  EXPECT_EQ(take().lease.kind, TaskKind::kPrepare);
}

TEST_F(JobControlTest, OnlyAdminsForceFailAndTheySayWhy) {
  const std::string id = submit();
  EXPECT_EQ(service_->force_fail(acme_, id, "x").failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->force_fail(admin_, id, "").failure().faults.at(0).pointer, "/error");
  EXPECT_EQ(service_->force_fail(admin_, "none", "x").failure().kind, FailureKind::kNotFound);
  const auto failed = service_->force_fail(admin_, id, "stuck for an hour");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->status, JobStatus::kFailed);
  EXPECT_EQ(failed->error, "stuck for an hour");
  EXPECT_EQ(service_->force_fail(admin_, id, "x").failure().kind, FailureKind::kConflict);
}

TEST_F(JobControlTest, AnotherTenantsJobIsNotThereForAnyVerb) {
  const std::string id = submit({{"webhook_url", "https://example.com/hook"}});
  for (const auto& refused : {service_->cancel(other_, id), service_->retry(other_, id),
                              service_->redeliver(other_, id)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.failure().kind, FailureKind::kNotFound);
  }
  const Caller reader{"acme", false, true, false};
  EXPECT_EQ(service_->cancel(reader, id).failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->retry(reader, id).failure().kind, FailureKind::kForbidden);
  EXPECT_EQ(service_->redeliver(reader, id).failure().kind, FailureKind::kForbidden);
  const Caller submitter{"acme", true, false, false};
  EXPECT_TRUE(service_->cancel(submitter, id));
}

TEST_F(JobControlTest, DrainingIsTheFleetsAndAdminsAlone) {
  EXPECT_EQ(service_->set_draining(acme_, true).failure().kind, FailureKind::kForbidden);
  ASSERT_TRUE(service_->set_draining(admin_, true));
  EXPECT_TRUE(*store_.draining());
  EXPECT_TRUE(service_->capacity(admin_)->draining);
  ASSERT_TRUE(service_->set_draining(admin_, false));
  EXPECT_FALSE(*store_.draining());
}

TEST_F(JobControlTest, CapacityCountsWorkersAndWork) {
  EXPECT_EQ(service_->capacity(acme_).failure().kind, FailureKind::kForbidden);
  WorkerInfo worker;
  worker.worker_id = "worker";
  worker.threads = 3;
  worker.encoders = {"x264"};
  worker.device_kind = "cpu";
  worker.pools = {{"render", 3, 1, 0, 0}};
  ASSERT_TRUE(store_.upsert_worker(worker));
  submit();
  submit();
  take();
  const auto capacity = service_->capacity(admin_);
  ASSERT_TRUE(capacity);
  EXPECT_EQ(capacity->queued_jobs, 1);
  EXPECT_EQ(capacity->open_segments, 10);
  EXPECT_EQ(capacity->threads, 3);
  ASSERT_EQ(capacity->tenants.size(), 1U);
  EXPECT_EQ(capacity->tenants[0].queued_jobs, capacity->queued_jobs);
  EXPECT_EQ(capacity->tenants[0].open_segments, capacity->open_segments);
  EXPECT_EQ(to_json(*capacity)["tenants"][0]["running_jobs"], 1);
  ASSERT_EQ(capacity->workers.size(), 1U);
  EXPECT_EQ(capacity->workers[0].held, 1);
  EXPECT_EQ(capacity->dead_letters, 0);
  const auto shown = to_json(*capacity)["workers"][0];
  EXPECT_EQ(shown["encoders"][0], "x264");
  EXPECT_EQ(shown["device_kind"], "cpu");
  EXPECT_EQ(shown["pools"][0]["name"], "render");
  EXPECT_EQ(shown["pools"][0]["busy"], 1);
}

TEST_F(JobControlTest, CapacityShowsTheCardsOfTheLedger) {
  EXPECT_TRUE(to_json(*service_->capacity(admin_))["gpus"].empty());
  admission::PromiseLedger& ledger = store_.promises();
  admission::Sample sample;
  sample.at = *ledger.now();
  sample.name = "Model 4000";
  sample.total = 24 * admission::kGiB;
  sample.free = 12 * admission::kGiB;
  sample.foreign = admission::kGiB;
  sample.contexts = admission::kGiB;
  sample.encoder_sessions = 2;
  sample.endpoint.state = admission::EndpointSample::State::kBusy;
  sample.endpoint.working = 3 * admission::kGiB;
  sample.endpoint.models = {{"ltx", 7 * admission::kGiB}};
  ASSERT_TRUE(ledger.publish("GPU-1", sample));
  admission::Wish wish;
  wish.gpu = "GPU-1";
  wish.worker_id = "worker";
  wish.task = "job/3";
  wish.bytes = 4 * admission::kGiB;
  ASSERT_TRUE(ledger.promise(wish));

  auto shown = to_json(*service_->capacity(admin_))["gpus"];
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0]["gpu"], "GPU-1");
  EXPECT_EQ(shown[0]["name"], "Model 4000");
  EXPECT_EQ(shown[0]["stale"], false);
  EXPECT_EQ(shown[0]["age_seconds"], 0.0);
  EXPECT_EQ(shown[0]["total_bytes"], 24 * admission::kGiB);
  EXPECT_EQ(shown[0]["free_bytes"], 12 * admission::kGiB);
  EXPECT_EQ(shown[0]["promised_bytes"], 4 * admission::kGiB);
  EXPECT_EQ(shown[0]["available_bytes"], 8 * admission::kGiB);
  EXPECT_EQ(shown[0]["foreign_bytes"], admission::kGiB);
  EXPECT_EQ(shown[0]["headroom_bytes"], admission::kGiB / 2);
  EXPECT_EQ(shown[0]["encoder_sessions"]["used"], 2);
  EXPECT_TRUE(shown[0]["encoder_sessions"]["allowed"].is_null());
  EXPECT_EQ(shown[0]["comfyui"]["state"], "busy");
  EXPECT_EQ(shown[0]["comfyui"]["resident_bytes"], 7 * admission::kGiB);
  EXPECT_EQ(shown[0]["comfyui"]["working_bytes"], 3 * admission::kGiB);
  ASSERT_EQ(shown[0]["promises"].size(), 1U);
  EXPECT_EQ(shown[0]["promises"][0]["worker_id"], "worker");
  EXPECT_EQ(shown[0]["promises"][0]["task"], "job/3");
  EXPECT_EQ(shown[0]["promises"][0]["lane"], "render");
  EXPECT_EQ(shown[0]["promises"][0]["promised_bytes"], 4 * admission::kGiB);
  EXPECT_EQ(shown[0]["promises"][0]["held_bytes"], 0);
  EXPECT_EQ(shown[0]["promises"][0]["ended"], false);

  clock_.advance(std::chrono::seconds(3));
  shown = to_json(*service_->capacity(admin_))["gpus"];
  EXPECT_EQ(shown[0]["stale"], true);
  EXPECT_EQ(shown[0]["age_seconds"], 3.0);
}

TEST_F(JobControlTest, OnlyPublicWebhooksAreTaken) {
  for (const char* url :
       {"http://localhost/x", "http://127.0.0.1/x", "http://10.1.2.3/", "http://169.254.169.254/",
        "http://[::1]/", "http://0x7f000001/", "http://2130706433/", "http://0.0.0.0/",
        "http://224.0.0.1/", "http://[::ffff:127.0.0.1]/"}) {
    json order = body();
    order["webhook_url"] = url;
    const Failure refused = refusal(order);
    EXPECT_EQ(refused.kind, FailureKind::kInvalid) << url;
    ASSERT_FALSE(refused.faults.empty()) << url;
    EXPECT_EQ(refused.faults[0].pointer, "/webhook_url");
  }
  const std::string id = submit({{"webhook_url", "https://example.com/hook"}});
  EXPECT_EQ(store_.job(id)->webhook_url, "https://example.com/hook");
  make(0, {.webhooks = Webhooks::kAny});
  submit({{"webhook_url", "http://127.0.0.1:9000/x"}});
  make(0, {.webhooks = Webhooks::kNone});
  json order = body();
  order["webhook_url"] = "https://example.com/hook";
  EXPECT_NE(refusal(order).detail.find("WEBHOOK_SECRET"), std::string::npos);
}

TEST_F(JobControlTest, AWebhookIsSentAgainUnderItsId) {
  const std::string silent = submit();
  EXPECT_EQ(service_->redeliver(acme_, silent).failure().kind, FailureKind::kConflict);
  const std::string id = submit({{"webhook_url", "https://example.com/hook"}});
  EXPECT_EQ(service_->redeliver(acme_, id).failure().kind, FailureKind::kConflict);
  ASSERT_TRUE(service_->cancel(acme_, id));
  const auto first = store_.take_events({1, std::chrono::seconds(60), {}});
  ASSERT_EQ(first->size(), 1U);
  ASSERT_TRUE(store_.event_delivered(first->front()));
  EXPECT_TRUE(store_.take_events({1, std::chrono::seconds(60), {}})->empty());
  ASSERT_TRUE(service_->redeliver(acme_, id));
  const auto again = store_.take_events({1, std::chrono::seconds(60), {}});
  ASSERT_EQ(again->size(), 1U);
  EXPECT_EQ(again->front().id, first->front().id);
  EXPECT_EQ(again->front().body, first->front().body);
}

TEST_F(JobControlTest, DeliveriesAreTheJobsOwnersAndAllAreAdmins) {
  const std::string id = submit({{"webhook_url", "https://example.com/hook?token=secret"}});
  EXPECT_TRUE(service_->deliveries(acme_, {.job_id = id})->empty()) << "it has not ended";
  ASSERT_TRUE(service_->cancel(acme_, id));
  const auto mine = service_->deliveries(acme_, {.job_id = id});
  ASSERT_EQ(mine->size(), 1U);
  const auto shown = to_json(mine->front());
  EXPECT_EQ(shown["receiver"], "https://example.com:443");
  EXPECT_EQ(shown["type"], "job.cancelled");
  EXPECT_EQ(shown["state"], "pending");
  EXPECT_EQ(shown["last_error"], nullptr);
  EXPECT_EQ(shown["tried_at"], nullptr);
  EXPECT_EQ(shown["next_try_at"], shown["created_at"]) << "at once";
  EXPECT_EQ(service_->deliveries(other_, {.job_id = id}).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(service_->deliveries(acme_, {}).failure().kind, FailureKind::kForbidden);
  Caller operator_key = admin_;
  EXPECT_EQ(service_->deliveries(operator_key, {})->size(), 1U);
}

}  // namespace pytoon::jobs
