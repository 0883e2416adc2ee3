// Parts of a process that can die, or be delayed, at any instant: before or after any call to its
// store or its storage. What happens at such a moment is for the FaultPlan.
#pragma once

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>

#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"
#include "server/jobs/outbox.h"
#include "server/jobs/task_store.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::testing_support {

class Dead : public std::runtime_error {
 public:
  Dead() : std::runtime_error("the process is dead") {}
};

class FaultPlan {
 public:
  enum class Answer { kGoOn, kLoseTheAnswer, kRefuse };
  virtual ~FaultPlan() = default;
  // Before a call: kRefuse makes it fail undone, kLoseTheAnswer makes it fail though it was done.
  // May throw Dead.
  virtual Answer before_call() = 0;
  // After it. May throw Dead.
  virtual void after_call() = 0;

  template <typename Call>
  auto around(const Call& call) -> decltype(call()) {
    const Answer answer = before_call();
    if (answer == Answer::kRefuse) return failure(FailureKind::kUnavailable, "made to fail");
    auto result = call();
    after_call();
    if (answer == Answer::kLoseTheAnswer) {
      return failure(FailureKind::kUnavailable, "the answer was lost");
    }
    return result;
  }
};

// Dies for good when so many moments have passed.
class CrashAfterN final : public FaultPlan {
 public:
  explicit CrashAfterN(int moments_left) : moments_left_(moments_left) {}
  Answer before_call() override {
    pass();
    return Answer::kGoOn;
  }
  void after_call() override { pass(); }
  bool met() const { return moments_left_ < 0; }

 private:
  void pass() {
    if (--moments_left_ < 0) throw Dead();
  }
  int moments_left_;
};

// Only counts; from any thread.
class CallCounter final : public FaultPlan {
 public:
  Answer before_call() override {
    ++calls;
    return Answer::kGoOn;
  }
  void after_call() override {}
  std::atomic<int> calls{0};
};

using ObjectAges = std::map<std::string, std::chrono::seconds>;

// Shows objects as changed so much earlier than they were.
class AgedWalk final : public jobs::ObjectWalk {
 public:
  AgedWalk(std::unique_ptr<jobs::ObjectWalk> real, const ObjectAges& ages)
      : real_(std::move(real)), ages_(ages) {}
  Result<std::vector<jobs::StoredObject>> next(std::size_t limit) override {
    auto page = real_->next(limit);
    if (!page) return page;
    for (jobs::StoredObject& object : *page) {
      if (const auto age = ages_.find(object.key); age != ages_.end()) {
        object.changed_at -= age->second;
      }
    }
    return page;
  }

 private:
  const std::unique_ptr<jobs::ObjectWalk> real_;
  const ObjectAges& ages_;
};

class FaultInjectingStorage final : public jobs::ObjectStore {
 public:
  FaultInjectingStorage(jobs::ObjectStore& real, FaultPlan& faults)
      : real_(real), faults_(faults) {}
  std::filesystem::path staging(const std::string& name) override {
    faults_.after_call();
    return real_.staging(name);
  }
  Status put(const std::filesystem::path& file, const std::string& key) override {
    return faults_.around([&] { return real_.put(file, key); });
  }
  Result<std::filesystem::path> local(const std::string& key) override {
    return faults_.around([&] { return real_.local(key); });
  }
  Result<bool> contains(const std::string& key) override {
    return faults_.around([&] { return real_.contains(key); });
  }
  Result<std::unique_ptr<jobs::ObjectWalk>> walk(const std::string& prefix) override {
    auto walk = faults_.around([&] { return real_.walk(prefix); });
    if (!walk) return walk;
    return std::unique_ptr<jobs::ObjectWalk>(std::make_unique<AgedWalk>(std::move(*walk), ages));
  }
  Result<WallTime> now() override {
    return faults_.around([&] { return real_.now(); });
  }
  Result<int> reclaim_abandoned() override {
    return faults_.around([&] { return real_.reclaim_abandoned(); });
  }
  Result<std::optional<std::string>> presigned(const std::string& key,
                                               std::chrono::seconds valid_for) override {
    return real_.presigned(key, valid_for);
  }
  Status link(const std::string& target, const std::string& key) override {
    return faults_.around([&] { return real_.link(target, key); });
  }
  Status remove(const std::string& key) override {
    return faults_.around([&] { return real_.remove(key); });
  }
  Status writable() override { return real_.writable(); }

  ObjectAges ages;  // beyond how old they are

 private:
  jobs::ObjectStore& real_;
  FaultPlan& faults_;
};

class FaultInjectingJobs final : public jobs::JobStore {
 public:
  FaultInjectingJobs(jobs::JobStore& real, FaultPlan& faults) : real_(real), faults_(faults) {}
  Result<jobs::Job> job(const std::string& id) override {
    return faults_.around([&] { return real_.job(id); });
  }
  Result<std::vector<jobs::Segment>> segments(const std::string& id) override {
    return faults_.around([&] { return real_.segments(id); });
  }
  Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) override {
    return faults_.around([&] { return real_.versions(ids); });
  }
  Result<jobs::JobPage> list(const std::optional<std::string>& tenant,
                             const jobs::ListQuery& query) override {
    return faults_.around([&] { return real_.list(tenant, query); });
  }
  Result<jobs::QueueLength> queued(const std::string& tenant) override {
    return faults_.around([&] { return real_.queued(tenant); });
  }
  Result<jobs::TenantUse> use_of(const std::string& tenant) override {
    return faults_.around([&] { return real_.use_of(tenant); });
  }
  Result<jobs::Backlog> backlog() override {
    return faults_.around([&] { return real_.backlog(); });
  }
  Result<std::vector<jobs::TenantQueue>> queue_by_tenant(int limit) override {
    return faults_.around([&] { return real_.queue_by_tenant(limit); });
  }
  Result<std::optional<jobs::IdempotencyRecord>> record(const std::string& tenant,
                                                        const std::string& key) override {
    return faults_.around([&] { return real_.record(tenant, key); });
  }
  Result<jobs::AssetRecord> asset(const std::optional<std::string>& tenant,
                                  const std::string& key) override {
    return faults_.around([&] { return real_.asset(tenant, key); });
  }
  Status probe() override {
    return faults_.around([&] { return real_.probe(); });
  }
  Result<jobs::Submitted> create(const jobs::NewJob& job,
                                 const jobs::QueueLimits& limits) override {
    return faults_.around([&] { return real_.create(job, limits); });
  }
  Status keep_asset(const jobs::AssetRecord& asset) override {
    return faults_.around([&] { return real_.keep_asset(asset); });
  }
  Result<jobs::Job> cancel(const std::string& id) override {
    return faults_.around([&] { return real_.cancel(id); });
  }
  Result<jobs::Job> force_fail(const std::string& id, const std::string& error) override {
    return faults_.around([&] { return real_.force_fail(id, error); });
  }
  Result<jobs::Job> retry(const std::string& id) override {
    return faults_.around([&] { return real_.retry(id); });
  }

 private:
  jobs::JobStore& real_;
  FaultPlan& faults_;
};

class FaultInjectingTasks final : public jobs::TaskStore {
 public:
  using Millis = std::chrono::milliseconds;
  FaultInjectingTasks(jobs::TaskStore& real, FaultPlan& faults) : real_(real), faults_(faults) {}
  Result<std::optional<jobs::LeasedTask>> lease_next(const jobs::LeaseRequest& request,
                                                     Millis duration) override {
    return faults_.around([&] { return real_.lease_next(request, duration); });
  }
  Result<std::vector<jobs::Lease>> renew(const std::vector<jobs::Lease>& leases,
                                         Millis duration) override {
    return faults_.around([&] { return real_.renew(leases, duration); });
  }
  Result<std::vector<jobs::Lease>> lost(const std::vector<jobs::Lease>& leases) override {
    return faults_.around([&] { return real_.lost(leases); });
  }
  Status release(const jobs::Lease& lease, jobs::ReleaseReason ending, Millis delay) override {
    return faults_.around([&] { return real_.release(lease, ending, delay); });
  }
  Result<int> hand_back_unknown(const std::string& worker_id,
                                const std::vector<jobs::Lease>& known) override {
    return faults_.around([&] { return real_.hand_back_unknown(worker_id, known); });
  }
  Result<bool> begin_reaping(std::chrono::milliseconds pause) override {
    return faults_.around([&] { return real_.begin_reaping(pause); });
  }
  Result<std::vector<jobs::Reaped>> reap() override {
    return faults_.around([&] { return real_.reap(); });
  }
  Status expire_leases_except(const std::string& worker_id) override {
    return faults_.around([&] { return real_.expire_leases_except(worker_id); });
  }
  Result<std::vector<jobs::Degraded>> degrade(const std::string& to, Millis patience) override {
    return faults_.around([&] { return real_.degrade(to, patience); });
  }
  Result<std::vector<jobs::EngineOrphan>> release_engines(Millis patience) override {
    return faults_.around([&] { return real_.release_engines(patience); });
  }
  Status prepared(const jobs::Lease& lease, const jobs::PrepareResult& preparation) override {
    return faults_.around([&] { return real_.prepared(lease, preparation); });
  }
  Status footage_decided(const jobs::Lease& lease, const jobs::Segment& segment) override {
    return faults_.around([&] { return real_.footage_decided(lease, segment); });
  }
  Status footage_passed(const jobs::Lease& lease, const jobs::Segment& segment) override {
    return faults_.around([&] { return real_.footage_passed(lease, segment); });
  }
  Status audio_made(const jobs::Lease& lease, const std::string& key, const std::string& sha256,
                    const std::string& facts) override {
    return faults_.around([&] { return real_.audio_made(lease, key, sha256, facts); });
  }
  Status segment_done(const jobs::Lease& lease, const jobs::Segment& segment,
                      double seconds) override {
    return faults_.around([&] { return real_.segment_done(lease, segment, seconds); });
  }
  Result<std::optional<jobs::FinishedSegment>> finished_segment(
      const std::string& tenant, const std::string& content_key) override {
    return faults_.around([&] { return real_.finished_segment(tenant, content_key); });
  }
  Status finished(const jobs::Lease& lease, const std::string& output_folder) override {
    return faults_.around([&] { return real_.finished(lease, output_folder); });
  }
  Status failed(const jobs::Lease& lease, const std::string& error) override {
    return faults_.around([&] { return real_.failed(lease, error); });
  }
  Status restart(const jobs::Lease& lease, const jobs::Replan& restart) override {
    return faults_.around([&] { return real_.restart(lease, restart); });
  }
  Status put_progress(const jobs::Lease& lease, int frames) override {
    return faults_.around([&] { return real_.put_progress(lease, frames); });
  }
  Status put_alone(const jobs::Lease& lease) override {
    return faults_.around([&] { return real_.put_alone(lease); });
  }
  Status put_waiting(const jobs::Lease& lease, const std::string& text) override {
    return faults_.around([&] { return real_.put_waiting(lease, text); });
  }
  Status note_fallback(const jobs::Lease& lease, const std::string& reason) override {
    return faults_.around([&] { return real_.note_fallback(lease, reason); });
  }

 private:
  jobs::TaskStore& real_;
  FaultPlan& faults_;
};

class FaultInjectingOutbox final : public jobs::Outbox {
 public:
  FaultInjectingOutbox(jobs::Outbox& real, FaultPlan& faults) : real_(real), faults_(faults) {}
  Result<std::vector<jobs::Event>> take_events(const jobs::EventRequest& request) override {
    return faults_.around([&] { return real_.take_events(request); });
  }
  Status event_delivered(const jobs::Event& event) override {
    return faults_.around([&] { return real_.event_delivered(event); });
  }
  Status event_put_off(const jobs::Event& event, std::chrono::milliseconds delay,
                       const std::string& reason) override {
    return faults_.around([&] { return real_.event_put_off(event, delay, reason); });
  }
  Status event_given_up(const jobs::Event& event, const std::string& cause) override {
    return faults_.around([&] { return real_.event_given_up(event, cause); });
  }
  Status redeliver(const std::string& job_id) override {
    return faults_.around([&] { return real_.redeliver(job_id); });
  }
  Result<std::vector<jobs::Delivery>> deliveries(const jobs::DeliveryQuery& query) override {
    return faults_.around([&] { return real_.deliveries(query); });
  }
  Result<std::vector<jobs::DeadLetter>> dead_letters(int limit) override {
    return faults_.around([&] { return real_.dead_letters(limit); });
  }

 private:
  jobs::Outbox& real_;
  FaultPlan& faults_;
};

}  // namespace pytoon::testing_support
