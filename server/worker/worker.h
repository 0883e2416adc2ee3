// The working half of a process: takes tasks, does them, keeps their leases. WorkerPool gives it
// threads; tests and the simulator call the same step() and beat() by hand.
//
// There are two kinds of hands. Drawing ones prepare, render and finish: as many as there are
// cores. Waiting ones get footage from engines and make the sound, so that neither keeps a core
// from drawing.
//
// A job that crashed repeatedly is worked on alone, so that it takes no other with it.
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
#include "server/worker/task.h"

namespace pytoon::worker {

enum class Hands { kDrawing, kWaiting };

class Worker {
 public:
  // facts: what the fleet is told of us; its holder is the options', its encoders the renderer's.
  Worker(const Parts& parts, jobs::Fleet& fleet, Options options, jobs::WorkerFacts facts);

  // Does one task, if there is one for these hands. False: there was nothing to do.
  bool step(Hands hands);

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
  class Asking;
  class Gathering;

  bool may_take() const;  // with the lock held
  Result<std::optional<jobs::Claim>> lease(Hands hands);
  // A task that is ours from now on.
  std::optional<Place> take(Hands hands);
  void wait_until_alone(std::unique_lock<std::mutex>& lock, const Task& task);
  std::vector<jobs::Lease> kept_leases() const;
  void drop_lost(const std::vector<jobs::Lease>& lost);
  void watch(SteadyTime now);
  void publish_progress();
  void hand_back_strays();
  bool can_judge() const;
  void hear(const Status& answer);  // of the store, or its silence
  void degrade_orphans(SteadyTime now);
  void report(const std::vector<jobs::Reaped>& reaped);

  Desk desk_;
  jobs::Fleet& fleet_;
  jobs::WorkerFacts facts_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable changed_;
  std::list<Held> held_;
  bool stopping_ = false;
  bool draining_ = false;
  bool alone_ = false;         // somebody wants to be, or is
  int asking_ = 0;             // hands that ask for a lease; not while gathering_
  bool gathering_ = false;     // leases that we never heard of are handed back; not while asking_
  SteadyTime strays_until_{};  // until then there may be some

  SteadyTime renew_at_{};  // of beat() alone

  // Of keep_house() alone.
  SteadyTime keep_house_at_{};
  SteadyTime heard_at_{};       // the store answered
  SteadyTime trusted_since_{};  // it did so without a gap
};

}  // namespace pytoon::worker
