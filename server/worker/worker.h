// The working half of a process: takes tasks, does them, keeps their leases. WorkerPool gives it
// threads; tests and the simulator call the same step() and beat() by hand.
//
// Its threads are in pools by purpose (pool_spec.h). A step is one of a pool: it leases what that
// pool is for and nothing else.
//
// A job that crashed repeatedly may take the process with it, so its tasks compute alone: nothing
// else is begun on our cores, and what began there before is waited for. Threads that wait for an
// engine go on meanwhile, for they may take minutes and lose little: what they ordered is taken up
// again. The price is that a job whose engine was asked by a process that dies so counts one crash.
//
// A task that shows no progress is cancelled; one that does not even obey is handed back, and its
// thread counts as lost until it returns.
//
// Thread rule: any thread; beat() by one at a time, keep_house() too. step() blocks for as long as
// a piece of work takes, the rest for milliseconds.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "server/jobs/fleet.h"
#include "server/worker/pool_spec.h"
#include "server/worker/task.h"

namespace pytoon::worker {

class Worker {
 public:
  // facts: what the fleet is told of us; its holder is the options', its encoders the renderer's,
  // its engines and pools our own. The pools are those of the options and of the ladder's slots.
  Worker(const Parts& parts, jobs::Fleet& fleet, Options options, jobs::WorkerFacts facts);

  const std::vector<PoolSpec>& pools() const { return pools_; }
  // Does one task, if there is one for this pool. False: there was nothing to do.
  bool step(std::size_t pool);

  // Renews leases, notices lost ones, gives up what hangs. Several times a second, by a thread that
  // does nothing else: whatever is slow besides must not cost a lease.
  void beat();
  // Publishes progress, says that we live, frees the tasks of dead workers. Several times a second.
  void keep_house();
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
    int published_frames = 0;
    SteadyTime published_at{};
    bool begun = false;      // not waiting to be alone
    bool abandoned = false;  // its thread is lost, its lease is not renewed
    bool released = false;   // and handed back
  };

  using Place = std::list<Held>::iterator;
  class Asking;
  class Gathering;

  bool may_take(std::size_t pool) const;  // with the lock held
  std::chrono::milliseconds lease_duration() const;
  Result<std::optional<jobs::Claim>> lease(std::size_t pool);
  // A task that is ours from now on.
  std::optional<Place> take(std::size_t pool);
  void begin(Held& held);
  void wait_until_alone(std::unique_lock<std::mutex>& lock, const Task& task);
  std::vector<jobs::Lease> kept_leases() const;
  void drop_lost(const std::vector<jobs::Lease>& lost);
  void watch(SteadyTime now);
  void release_abandoned();
  void publish_progress();
  void hand_back_strays();
  void tell_of_us();
  bool can_judge() const;
  void hear(const Status& answer);  // of the store, or its silence
  void degrade_orphans(SteadyTime now);
  void reap();

  Desk desk_;
  jobs::Fleet& fleet_;
  jobs::WorkerFacts facts_;
  const std::vector<PoolSpec> pools_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable changed_;
  std::list<Held> held_;
  bool stopping_ = false;
  bool draining_ = false;
  const Task* alone_ = nullptr;  // the one that computes alone, or waits to
  int asking_ = 0;               // threads that ask for a lease; not while gathering_
  bool gathering_ = false;       // leases that we never heard of are handed back; not while asking_
  SteadyTime strays_until_{};    // until then there may be some

  SteadyTime renew_at_{};  // of beat() alone

  // Of keep_house() alone.
  SteadyTime keep_house_at_{};
  SteadyTime heard_at_{};       // the store answered
  SteadyTime trusted_since_{};  // it did so without a gap
};

}  // namespace pytoon::worker
