#include "server/worker/worker_pool.h"

#include <algorithm>

namespace pytoon::worker {

WorkerPool::WorkerPool(const RunParts& parts, PoolOptions options)
    : parts_(parts), options_(std::move(options)) {}

WorkerPool::~WorkerPool() { stop(); }

Status WorkerPool::start() {
  if (Status freed = parts_.store.expire_leases_except(options_.holder); !freed) return freed;
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { keep_leases(); });
  return ok_status();
}

void WorkerPool::stop() {
  std::vector<std::shared_ptr<JobRun>> runs;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    runs = runs_;
  }
  for (const auto& run : runs) run->stop();
  changed_.notify_all();
  stopped_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::ring() {
  const std::lock_guard lock(mutex_);
  rung_ = true;
  changed_.notify_all();
}

void WorkerPool::set_draining(bool draining) {
  const std::lock_guard lock(mutex_);
  draining_ = draining;
  changed_.notify_all();
}

int WorkerPool::active_jobs() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(runs_.size());
}

std::shared_ptr<JobRun> WorkerPool::pick() const {
  for (const auto& run : runs_) {
    const bool must_wait = run->suspect() && runs_.size() > 1;
    if (!must_wait && run->has_work()) return run;
  }
  return nullptr;
}

bool WorkerPool::may_lease() const {
  if (draining_ || leasing_ || std::ssize(runs_) >= options_.threads) return false;
  const bool alone =
      std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run->suspect(); });
  return !alone && (rung_ || parts_.clock.steady_now() >= lease_again_at_);
}

void WorkerPool::lease(std::unique_lock<std::mutex>& lock) {
  leasing_ = true;
  rung_ = false;  // before asking: who rings from now on is heard
  lock.unlock();
  Result<std::optional<jobs::Claim>> claim =
      parts_.store.lease_next(options_.holder, options_.run.lease);
  std::shared_ptr<JobRun> run;
  if (claim && *claim) {
    run = std::make_shared<JobRun>(std::move(**claim), parts_, options_.run);
  }
  if (!claim) parts_.log.warning("lease_failed", {{"reason", claim.failure().detail}});
  lock.lock();
  leasing_ = false;
  lease_again_at_ = parts_.clock.steady_now() + options_.poll;
  if (!run) return;
  rung_ = true;  // where one was there may be more
  if (stopping_) {
    run->stop();
  } else {
    runs_.push_back(std::move(run));
  }
}

void WorkerPool::forget_ended() {
  std::erase_if(runs_, [](const auto& run) { return run->over(); });
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::shared_ptr<JobRun> run = pick();
    if (run) {
      lock.unlock();
      run->step();
      lock.lock();
      forget_ended();
      changed_.notify_all();
    } else if (may_lease()) {
      lease(lock);
      changed_.notify_all();
    } else {
      changed_.wait_for(lock, options_.poll);
    }
  }
}

void WorkerPool::keep_leases() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    stopped_.wait_for(lock, options_.beat);
    const auto runs = runs_;
    lock.unlock();
    for (const auto& run : runs) run->beat();
    lock.lock();
    forget_ended();
  }
}

}  // namespace pytoon::worker
