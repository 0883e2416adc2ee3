// The record of everything (jobs/job_store.h, task_store.h, outbox.h, worker_registry.h,
// retention_store.h, and the spend ledger of engines/remote) in a SQL database: one implementation,
// whichever database is beneath. Each call is one transaction.
//
// A worker's write locks the row of its job first, then looks at the epoch of its task, so that
// writes to one job take turns and none can deadlock with another.
//
// Thread rule: any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engines/remote/spend_ledger.h"
#include "server/io/queue_view_cache.h"
#include "server/io/spec_cache.h"
#include "server/io/sql_generations.h"
#include "server/io/sql_keys.h"
#include "server/io/sql_profiles.h"
#include "server/io/sql_promises.h"
#include "server/jobs/job_store.h"
#include "server/jobs/outbox.h"
#include "server/jobs/retention_store.h"
#include "server/jobs/task_store.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::io {

struct LeaseOrder;  // sql_lease_order.h

struct StoreOptions {
  // Called at each boundary of a commit with its name, such as "segment_done.before_commit" and
  // "segment_done.after_commit": where a crash test ends the process. Any thread.
  std::function<void(std::string_view)> crash_point;
  jobs::admission::LedgerOptions ledger;
};

class SqlStore final : public jobs::JobStore,
                       public jobs::TaskStore,
                       public jobs::Outbox,
                       public jobs::WorkerRegistry,
                       public jobs::RetentionStore,
                       public engines::SpendLedger {
 public:
  SqlStore(std::unique_ptr<SqlDatabase> database, Clock& clock, StoreOptions options)
      : database_(std::move(database)),
        clock_(clock),
        options_(std::move(options)),
        promises_(*database_, options_.ledger),
        profiles_(*database_),
        generations_(*database_),
        keys_(*database_),
        queue_(clock_) {}

  // Whether nobody else can hold a lease in it but this process, and those that died before.
  bool sole_owner() const { return database_->sole_owner(); }

  // Promises of GPU memory, in the same database.
  jobs::admission::PromiseLedger& promises() { return promises_; }
  // A secret that all processes at this database share: `fresh`, unless one was kept before.
  Result<std::string> shared_secret(const std::string& name, const std::string& fresh);
  // What was learned of workflows, likewise.
  jobs::admission::ProfileStore& profiles() { return profiles_; }
  // API keys, likewise.
  jobs::KeyStore& keys() { return keys_; }
  // What waits for inference endpoints, of the tasks of this store.
  jobs::admission::GenerationQueue& generations() { return generations_; }

  // JobStore
  Result<jobs::Job> job(const std::string& id) override;
  Result<std::vector<jobs::Segment>> segments(const std::string& job_id) override;
  Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) override;
  Result<jobs::JobPage> list(const std::optional<std::string>& tenant,
                             const jobs::ListQuery& query) override;
  Result<jobs::QueueLength> queued(const std::string& tenant) override;
  Result<jobs::TenantUse> use_of(const std::string& tenant) override;
  Result<jobs::Backlog> backlog() override;
  Result<std::vector<jobs::TenantQueue>> queue_by_tenant(int limit) override;
  Result<std::optional<jobs::IdempotencyRecord>> record(
      const std::string& tenant, const std::string& idempotency_key) override;
  Result<jobs::AssetRecord> asset(const std::optional<std::string>& tenant,
                                  const std::string& key) override;
  Status probe() override;
  Result<jobs::Submitted> create(const jobs::NewJob& job, const jobs::QueueLimits& limits) override;
  Status keep_asset(const jobs::AssetRecord& asset) override;
  Result<jobs::Job> cancel(const std::string& id) override;
  Result<jobs::Job> force_fail(const std::string& id, const std::string& error) override;
  Result<jobs::Job> retry(const std::string& id) override;

  // TaskStore
  Result<std::optional<jobs::LeasedTask>> lease_next(const jobs::LeaseRequest& request,
                                                     std::chrono::milliseconds duration) override;
  Result<std::vector<jobs::Lease>> renew(const std::vector<jobs::Lease>& leases,
                                         std::chrono::milliseconds duration) override;
  Result<std::vector<jobs::Lease>> lost(const std::vector<jobs::Lease>& leases) override;
  Status release(const jobs::Lease& lease, jobs::ReleaseReason ending,
                 std::chrono::milliseconds delay) override;
  Result<int> hand_back_unknown(const std::string& worker_id,
                                const std::vector<jobs::Lease>& known) override;
  Result<bool> begin_reaping(std::chrono::milliseconds pause) override;
  Result<std::vector<jobs::Reaped>> reap() override;
  Status expire_leases_except(const std::string& worker_id) override;
  Result<std::vector<jobs::Degraded>> degrade(const std::string& to,
                                              std::chrono::milliseconds patience) override;
  Result<std::vector<jobs::EngineOrphan>> release_engines(
      std::chrono::milliseconds patience) override;
  Status prepared(const jobs::Lease& lease, const jobs::PrepareResult& preparation) override;
  Status footage_decided(const jobs::Lease& lease, const jobs::Segment& segment) override;
  Status footage_passed(const jobs::Lease& lease, const jobs::Segment& segment) override;
  Status audio_made(const jobs::Lease& lease, const std::string& key, const std::string& sha256,
                    const std::string& facts) override;
  Status segment_done(const jobs::Lease& lease, const jobs::Segment& segment,
                      double seconds) override;
  Result<std::optional<jobs::FinishedSegment>> finished_segment(
      const std::string& tenant, const std::string& content_key) override;
  Status finished(const jobs::Lease& lease, const std::string& output_folder) override;
  Status failed(const jobs::Lease& lease, const std::string& error) override;
  Status restart(const jobs::Lease& lease, const jobs::Replan& restart) override;
  Status put_progress(const jobs::Lease& lease, int frames) override;
  Status note_fallback(const jobs::Lease& lease, const std::string& reason) override;
  Status put_alone(const jobs::Lease& lease) override;
  Status put_waiting(const jobs::Lease& lease, const std::string& text) override;

  // Outbox
  Result<std::vector<jobs::Event>> take_events(const jobs::EventRequest& request) override;
  Status event_delivered(const jobs::Event& event) override;
  Status event_put_off(const jobs::Event& event, std::chrono::milliseconds delay,
                       const std::string& reason) override;
  Status event_given_up(const jobs::Event& event, const std::string& cause) override;
  Status redeliver(const std::string& job_id) override;
  Result<std::vector<jobs::Delivery>> deliveries(const jobs::DeliveryQuery& query) override;
  Result<std::vector<jobs::DeadLetter>> dead_letters(int limit) override;

  // WorkerRegistry
  Status upsert_worker(const jobs::WorkerInfo& worker) override;
  Status remove_worker(const std::string& worker_id) override;
  Result<std::vector<jobs::WorkerInfo>> workers(std::chrono::milliseconds seen_within) override;
  Status set_draining(bool draining) override;
  Result<bool> draining() override;

  // RetentionStore
  Result<bool> begin_gc_pass(std::chrono::milliseconds pause) override;
  Result<std::vector<std::string>> condemn(const std::vector<std::string>& keys) override;
  Result<std::vector<std::string>> take_deletions(int limit,
                                                  std::chrono::milliseconds lease) override;
  Status deleted(const std::vector<std::string>& keys) override;
  Result<std::int64_t> expire_jobs(jobs::JobStatus status, std::chrono::hours age,
                                   int limit) override;
  Result<std::int64_t> expire_assets(std::chrono::hours age, int limit) override;
  Result<std::int64_t> purge_rows(jobs::RowKind kind, std::chrono::hours age, int limit) override;
  Result<std::vector<std::string>> delete_job(const std::string& id) override;
  Result<std::vector<std::string>> delete_asset(const std::optional<std::string>& tenant,
                                                const std::string& key) override;
  Result<std::vector<std::string>> assets_of(const std::string& tenant, int limit) override;
  Status purge_spend(const std::string& job_id) override;
  Result<jobs::TenantRows> rows_of(const std::string& tenant) override;

  // SpendLedger
  Result<engines::Purchase> reserve(const engines::Reservation& reservation,
                                    const engines::SpendCaps& caps) override;
  Status ordered(const std::string& key, const std::string& remote_id) override;
  Status ended(const std::string& key) override;
  Status released(const std::string& key) override;
  Result<std::int64_t> spent_today_micro_usd() override;

 private:
  // `work` takes a SqlSession& and gives a Result or a Status; a failure undoes what it wrote.
  template <typename Work>
  auto reading(const Work& work) -> decltype(work(std::declval<SqlSession&>()));
  template <typename Work>
  auto writing(std::string_view name, const Work& work)
      -> decltype(work(std::declval<SqlSession&>()));
  // A write of a worker: `work` also gets the job, locked, without its spec.
  template <typename Work>
  Status held_writing(std::string_view name, const jobs::Lease& lease, const Work& work);
  void at_crash_point(std::string_view name, const char* point) const;

  // True for one caller in each `pause`: the table's one row has when the next turn is.
  Result<bool> take_turn(std::string_view name, const std::string& table, const std::string& column,
                         std::chrono::milliseconds pause);
  // With its spec.
  jobs::Job complete(SqlSession& session, jobs::Job job);
  jobs::QueueLength queue_length(SqlSession& session, const std::string& tenant);
  // Gives the queued ones of a page their places. rows: of the page, in its order.
  void number_queued(SqlSession& session, const Rows& rows, std::vector<jobs::Job>& page);
  // nullopt when others took all that the order had.
  Result<std::optional<jobs::LeasedTask>> try_lease(const jobs::LeaseRequest& request,
                                                    const LeaseOrder& order,
                                                    std::chrono::milliseconds duration);
  Result<std::vector<jobs::Reaped>> reap_job(const std::string& job_id);
  Result<std::optional<jobs::Degraded>> degrade_job(const std::string& job_id,
                                                    const std::string& from, const std::string& to);
  // What has become of a leased event.
  struct EventConclusion {
    std::string_view state;
    std::chrono::milliseconds delay{0};  // until it is due
    std::string error;                   // "" leaves the last one
    std::string dead_letter;             // its cause; "" for none
  };
  Status conclude_event(const jobs::Event& event, const EventConclusion& conclusion);

  const std::unique_ptr<SqlDatabase> database_;
  Clock& clock_;
  const StoreOptions options_;
  SqlPromiseLedger promises_;
  SqlProfileStore profiles_;
  SqlGenerationQueue generations_;
  SqlKeyStore keys_;
  SpecCache specs_;
  QueueViewCache queue_;
};

}  // namespace pytoon::io
