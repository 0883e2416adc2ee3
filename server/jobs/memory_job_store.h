// A JobStore in memory: for tests, simulations and one-off renders. Nothing survives the process.
// Keeps the same promises as the databases do; one contract suite runs against all of them.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "server/jobs/job_store.h"

namespace pytoon::jobs {

class MemoryJobStore final : public JobStore {
 public:
  explicit MemoryJobStore(const Clock& clock) : clock_(clock) {}

  Result<Job> job(const std::string& id) override;
  Result<std::vector<Segment>> segments(const std::string& job_id) override;
  Result<JobPage> list(const std::optional<std::string>& tenant, const ListQuery& query) override;
  Result<std::int64_t> queued() override;
  Result<std::optional<Receipt>> receipt(const std::string& tenant,
                                         const std::string& idempotency_key) override;
  Result<AssetRecord> asset(const std::string& tenant, const std::string& key) override;
  Status probe() override { return ok_status(); }

  Result<Submitted> create(const NewJob& job, std::int64_t queued_max) override;
  Status keep_asset(const AssetRecord& asset) override;

  Result<std::optional<Claim>> lease_next(const std::string& holder,
                                          std::chrono::milliseconds duration) override;
  Status renew(const Lease& lease, std::chrono::milliseconds duration) override;
  Status check(const Lease& lease) override;
  Status release(const Lease& lease, Ending ending, std::chrono::milliseconds delay) override;
  Status expire_leases_except(const std::string& holder) override;

  Status move(const Lease& lease, const Move& move) override;
  Status put_segment(const Lease& lease, const Segment& segment) override;
  Status put_progress(const Lease& lease, int pct) override;
  Status note_fallback(const Lease& lease, const std::string& reason) override;

  // What an operator's UPDATE does to a row.
  void set_by_hand(const std::string& id, JobStatus status, const std::string& error);

 private:
  struct Row {
    Job job;
    std::vector<Segment> segments;
    std::int64_t epoch = 0;
    std::string holder;
    WallTime lease_expires_at{};
    WallTime not_before{};
  };

  Row* find(const std::string& id);
  // The row the lease still holds, or kConflict.
  Result<Row*> held(const Lease& lease);
  Row* best_free();
  void touch(Row& row);
  std::int64_t position(const Row& row) const;
  std::int64_t queued_now() const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Row> rows_;  // in the order of creation
  std::map<std::pair<std::string, std::string>, Receipt> receipts_;
  std::map<std::pair<std::string, std::string>, AssetRecord> assets_;
  std::int64_t last_epoch_ = 0;
};

}  // namespace pytoon::jobs
