#include "server/worker/worker_pool.h"

namespace pytoon::worker {

WorkerPool::WorkerPool(Worker& worker, PoolOptions options, jobs::WorkNotifier* peers)
    : worker_(worker), options_(options), peers_(peers) {}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::start() {
  report_idle_(false);
  for (int i = 0; i < options_.drawing; ++i) {
    threads_.emplace_back([this] { work(TaskPool::kRendering); });
  }
  for (int i = 0; i < options_.waiting; ++i) {
    threads_.emplace_back([this] { work(TaskPool::kWaiting); });
  }
  heartbeat_thread_ = std::thread([this] { repeat([this] { worker_.renew_leases(); }); });
  maintenance_thread_ = std::thread([this] { repeat([this] { worker_.run_maintenance(); }); });
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  worker_.stop();
  notified_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // What was cut short obeys in its own time: until then its lease is renewed.
  {
    const std::lock_guard lock(mutex_);
    all_put_down_ = true;
  }
  notified_.notify_all();
  if (heartbeat_thread_.joinable()) heartbeat_thread_.join();
  if (maintenance_thread_.joinable()) maintenance_thread_.join();
}

void WorkerPool::notify() {
  const std::lock_guard lock(mutex_);
  ++notifications_;
  notified_.notify_all();
}

// Whoever did something wake-ups: the end of one task is the beginning of others.
void WorkerPool::work(TaskPool pool) {
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      seen = notifications_;
    }
    if (worker_.step(pool)) {
      notify();
      if (peers_ != nullptr) peers_->notify();
      continue;
    }
    std::unique_lock lock(mutex_);
    count_idle(pool, 1);
    notified_.wait_for(lock, options_.poll, [&] { return stopping_ || notifications_ != seen; });
    count_idle(pool, -1);
  }
}

void WorkerPool::count_idle(TaskPool pool, int change) {
  if (pool != TaskPool::kRendering) return;
  const bool before = idle_ > 0;
  idle_ += change;
  if ((idle_ > 0) != before) report_idle_(idle_ > 0);
}

void WorkerPool::repeat(const std::function<void()>& body) {
  std::unique_lock lock(mutex_);
  while (!all_put_down_) {
    lock.unlock();
    body();
    lock.lock();
    notified_.wait_for(lock, options_.heartbeat, [this] { return all_put_down_; });
  }
}

}  // namespace pytoon::worker
