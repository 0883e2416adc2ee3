// Looks at every lease and every write of every worker and remembers what must never happen: a
// write that was taken from somebody who no longer holds the task, or an epoch given out twice.
//
// As a mutation it can also take the fencing out, so that a test shows that this is noticed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "server/jobs/task_store.h"

namespace pytoon::sim {

class ObservingTasks final : public jobs::TaskStore {
 public:
  using Millis = std::chrono::milliseconds;
  ObservingTasks(jobs::TaskStore& real, bool fencing) : real_(real), fencing_(fencing) {}

  const std::vector<std::string>& violations() const { return violations_; }

  Result<std::optional<jobs::LeasedTask>> lease_next(const jobs::LeaseRequest& request,
                                                     Millis duration) override {
    auto leased = real_.lease_next(request, duration);
    if (!leased || !*leased) return leased;
    const jobs::Lease& lease = (*leased)->lease;
    if (!epochs_.insert(lease.epoch).second) note("an epoch was given out twice", lease);
    newest_[task(lease)] = lease;
    return leased;
  }
  Result<std::vector<jobs::Lease>> renew(const std::vector<jobs::Lease>& leases,
                                         Millis duration) override {
    return real_.renew(leases, duration);
  }
  Result<std::vector<jobs::Lease>> lost(const std::vector<jobs::Lease>& leases) override {
    return real_.lost(leases);
  }
  Status release(const jobs::Lease& lease, jobs::ReleaseReason ending, Millis delay) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.release(by, ending, delay); });
  }
  Result<int> hand_back_unknown(const std::string& worker_id,
                                const std::vector<jobs::Lease>& known) override {
    return real_.hand_back_unknown(worker_id, known);
  }
  Result<bool> begin_reaping(std::chrono::milliseconds pause) override {
    return real_.begin_reaping(pause);
  }
  Result<std::vector<jobs::Reaped>> reap() override { return real_.reap(); }
  Status expire_leases_except(const std::string& worker_id) override {
    return real_.expire_leases_except(worker_id);
  }
  Result<std::vector<jobs::Degraded>> degrade(const std::string& to, Millis patience) override {
    return real_.degrade(to, patience);
  }
  Result<std::vector<jobs::EngineOrphan>> release_engines(Millis patience) override {
    return real_.release_engines(patience);
  }
  Status prepared(const jobs::Lease& lease, const jobs::PrepareResult& preparation) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.prepared(by, preparation); });
  }
  Status footage_decided(const jobs::Lease& lease, const jobs::Segment& segment) override {
    return watched(lease,
                   [&](const jobs::Lease& by) { return real_.footage_decided(by, segment); });
  }
  Status footage_passed(const jobs::Lease& lease, const jobs::Segment& segment) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.footage_passed(by, segment); });
  }
  Status audio_made(const jobs::Lease& lease, const std::string& key, const std::string& sha256,
                    const std::string& facts) override {
    return watched(lease,
                   [&](const jobs::Lease& by) { return real_.audio_made(by, key, sha256, facts); });
  }
  Status segment_done(const jobs::Lease& lease, const jobs::Segment& segment,
                      double seconds) override {
    return watched(lease,
                   [&](const jobs::Lease& by) { return real_.segment_done(by, segment, seconds); });
  }
  Result<std::optional<jobs::FinishedSegment>> finished_segment(
      const std::string& tenant, const std::string& content_key) override {
    return real_.finished_segment(tenant, content_key);
  }
  Status finished(const jobs::Lease& lease, const std::string& output_folder) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.finished(by, output_folder); });
  }
  Status failed(const jobs::Lease& lease, const std::string& error) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.failed(by, error); });
  }
  Status restart(const jobs::Lease& lease, const jobs::Replan& restart) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.restart(by, restart); });
  }
  Status put_progress(const jobs::Lease& lease, int frames) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.put_progress(by, frames); });
  }
  Status put_alone(const jobs::Lease& lease) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.put_alone(by); });
  }
  Status put_waiting(const jobs::Lease& lease, const std::string& text) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.put_waiting(by, text); });
  }
  Status note_fallback(const jobs::Lease& lease, const std::string& reason) override {
    return watched(lease, [&](const jobs::Lease& by) { return real_.note_fallback(by, reason); });
  }

 private:
  using TaskName = std::tuple<std::string, jobs::TaskKind, int>;
  static TaskName task(const jobs::Lease& lease) {
    return {lease.job_id, lease.kind, lease.segment};
  }
  void note(const std::string& what, const jobs::Lease& lease) {
    violations_.push_back(what + ": job " + lease.job_id + ", " + std::string(name_of(lease.kind)) +
                          " " + std::to_string(lease.segment) + ", epoch " +
                          std::to_string(lease.epoch));
  }
  template <typename Write>
  Status watched(const jobs::Lease& lease, const Write& write) {
    const jobs::Lease& newest = newest_.at(task(lease));
    Status done = write(fencing_ ? lease : newest);
    if (done && newest.epoch != lease.epoch) note("a late write was taken", lease);
    return done;
  }

  jobs::TaskStore& real_;
  const bool fencing_;
  std::map<TaskName, jobs::Lease> newest_;
  std::set<std::int64_t> epochs_;
  std::vector<std::string> violations_;
};

}  // namespace pytoon::sim
