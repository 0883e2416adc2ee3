// The working half of a process: takes tasks, does them, keeps their leases. WorkerPool gives it
// threads; tests and the simulator call the same step() and renew_leases() by hand.
//
// There are two kinds of hands. Drawing ones prepare, render and finish: as many as there are
// cores. Waiting ones get footage from engines and make the audio, so that neither keeps a core
// from drawing.
//
// A job that crashed repeatedly is worked on alone, so that it takes no other with it.
//
// Thread rule: any thread; renew_leases() by one at a time, run_maintenance() too. step() blocks
// for as long as a piece of work takes, the rest for milliseconds.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "server/jobs/worker_registry.h"
#include "server/worker/task.h"

namespace pytoon::worker {

enum class TaskPool { kRendering, kWaiting };

class Worker {
 public:
  // facts: what the fleet is told of us; its worker is the options', its encoders the renderer's.
  Worker(const WorkerDependencies& deps, jobs::WorkerRegistry& registry, Options options,
         jobs::WorkerInfo info);

  // Does one task, if there is one for this pool. False: there was nothing to do.
  bool step(TaskPool pool);

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
  // Tasks that hung and did not even obey when they were cancelled: their threads are lost.
  int abandoned() const;

 private:
  struct Held {
    std::shared_ptr<Task> task;
    int frames = 0;  // when it last moved
    SteadyTime moved_at;
    int published_frames = 0;
    SteadyTime published_at{};
    bool begun = false;      // not waiting to be alone
    bool abandoned = false;  // its lease is left to run out
  };

  using Place = std::list<Held>::iterator;
  class InFlightLeaseRequest;
  class LeaseReconciler;

  bool may_take() const;  // with the lock held
  Result<std::optional<jobs::LeasedTask>> lease(TaskPool pool);
  // A task that is ours from now on.
  std::optional<Place> take(TaskPool pool);
  void wait_until_exclusive(std::unique_lock<std::mutex>& lock, const Task& task);
  std::vector<jobs::Lease> kept_leases() const;
  void drop_lost(const std::vector<jobs::Lease>& lost);
  void watch(SteadyTime now);
  void publish_progress();
  void release_orphan_leases();
  bool may_reap() const;
  void note_store_health(const Status& answer);  // of the store, or its silence
  void degrade_orphans(SteadyTime now);
  void report(const std::vector<jobs::Reaped>& reaped);

  WorkerContext context_;
  jobs::WorkerRegistry& registry_;
  jobs::WorkerInfo info_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable changed_;
  std::list<Held> held_;
  bool stopping_ = false;
  bool draining_ = false;
  bool exclusive_ = false;      // somebody wants to be, or is
  int requests_in_flight_ = 0;  // threads that ask for a lease; not while gathering_
  bool reconciling_ = false;    // leases that we never heard of are handed back; not while asking_
  SteadyTime orphans_until_{};  // until then there may be some

  SteadyTime renew_at_{};  // of renew_leases() alone

  // Of run_maintenance() alone.
  SteadyTime maintain_at_{};
  SteadyTime store_healthy_at_{};     // the store answered
  SteadyTime store_healthy_since_{};  // it did so without a gap
};

}  // namespace pytoon::worker
