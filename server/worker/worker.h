// The working half of a process: takes tasks, does them, keeps their leases. WorkerPool gives it
// threads; tests and the simulator call the same step() and renew_leases() by hand.
//
// Its threads are in pools by purpose (pool_spec.h). A step is one of a pool: it leases what that
// pool is for and nothing else.
//
// A job whose workers died repeatedly may have killed them, so its tasks compute alone: nothing
// else is begun on our cores, and what began there before is waited for. Threads that wait for an
// engine go on meanwhile, for they may take minutes and lose little: what they ordered is taken up
// again. Only when such a job's own footage is wanted from an engine they are waited for too. The
// store is told which task is alone: should we die, no other is blamed.
//
// A task that shows no progress is cancelled; one that does not even obey is handed back, and its
// thread counts as lost until it returns. When half of a pool's threads are lost the process is
// marked unusable (jobs/process_health.h).
//
// Thread rule: any thread; renew_leases() by one at a time, run_maintenance() too. step() blocks
// for as long as a piece of work takes, the rest for milliseconds.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "server/jobs/worker_registry.h"
#include "server/worker/pool_spec.h"
#include "server/worker/task.h"

namespace pytoon::worker {

class Worker {
 public:
  // facts: what the fleet is told of us; its worker is the options', its encoders the renderer's,
  // its engines and pools our own. The pools are those of the options and of the engine chain's
  // slots.
  Worker(const WorkerDependencies& deps, jobs::WorkerRegistry& registry, Options options,
         jobs::WorkerInfo info);

  const std::vector<PoolSpec>& pools() const { return pools_; }
  // Does one task, if there is one for this pool. False: there was nothing to do. on_leased: called
  // before it is begun; there may be more of them.
  bool step(std::size_t pool, const std::function<void()>& on_leased = {});

  // Renews leases, notices lost ones, gives up what hangs. Several times a second, by a thread that
  // does nothing else: whatever is slow besides must not cost a lease.
  void renew_leases();
  // Publishes progress, says that we live, frees the tasks of dead workers. Several times a second.
  void run_maintenance();
  // No new leases; what is held is finished.
  void set_draining(bool draining);
  // Cancels what is running; it is handed back with no attempt spent.
  void stop();
  int held() const;
  // One of each pool, in their order. Of a lost thread the task hung and did not obey its cancel.
  std::vector<jobs::PoolState> pool_states() const;

 private:
  struct Held {
    std::shared_ptr<Task> task;
    std::size_t pool = 0;
    int frames = 0;  // when it last moved
    SteadyTime moved_at;
    int published_percents = 0;
    SteadyTime published_at{};
    bool begun = false;      // not waiting to be alone
    bool abandoned = false;  // its thread is lost, its lease is not renewed
    bool released = false;   // and handed back
  };

  using Place = std::list<Held>::iterator;
  class InFlightLeaseRequest;
  class LeaseReconciler;

  bool may_take(std::size_t pool) const;  // with the lock held
  std::chrono::milliseconds lease_duration() const;
  Result<std::optional<jobs::LeasedTask>> lease(std::size_t pool);
  // A task that is ours from now on.
  std::optional<Place> take(std::size_t pool);
  // False: the task shares the process with others.
  bool begin(Held& held);
  bool excluded(std::size_t pool) const;  // with the lock held
  bool in_the_way(const Held& other, const Held& held) const;
  void wait_until_exclusive(std::unique_lock<std::mutex>& lock, const Held& held);
  std::vector<jobs::Lease> kept_leases() const;
  void drop_lost(const std::vector<jobs::Lease>& lost);
  void watch(SteadyTime now);
  void judge_pools();
  void release_abandoned();
  void publish_progress();
  void release_orphan_leases();
  void tell_of_us();
  bool may_reap() const;
  bool is_reaper();
  void note_store_health(const Status& answer);  // of the store, or its silence
  void degrade_orphans(SteadyTime now);
  void reap();

  WorkerContext context_;
  jobs::WorkerRegistry& registry_;
  jobs::WorkerInfo info_;
  const std::vector<PoolSpec> pools_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable changed_;
  std::list<Held> held_;
  bool stopping_ = false;
  bool draining_ = false;
  const Held* exclusive_ = nullptr;  // the one that is alone, or waits to be
  int requests_in_flight_ = 0;       // threads that ask for a lease; not while gathering_
  bool reconciling_ = false;    // leases that we never heard of are handed back; not while asking_
  SteadyTime orphans_until_{};  // until then there may be some

  SteadyTime watched_at_{};  // of renew_leases() alone, as the next
  SteadyTime renew_at_{};    // of renew_leases() alone

  // Of run_maintenance() alone.
  SteadyTime maintain_at_{};
  SteadyTime store_healthy_at_{};     // the store answered
  SteadyTime store_healthy_since_{};  // it did so without a gap
};

}  // namespace pytoon::worker
