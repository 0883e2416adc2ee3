#include "server/worker/worker_pool.h"

namespace pytoon::worker {
namespace {

constexpr std::size_t kRenderPool = 0;  // the first of pools_for()

}  // namespace

WorkerPool::WorkerPool(Worker& worker, PoolOptions options, jobs::WorkNotifier* peers)
    : worker_(worker),
      options_(options),
      peers_(peers),
      pools_(worker.pools().size()),
      running_(worker.pools().size(), 0) {}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::start() {
  report_idle_(false);
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t pool = 0; pool < running_.size(); ++pool) {
      for (int i = 0; i < worker_.pools()[pool].threads; ++i) add_thread(pool);
    }
  }
  heartbeat_thread_ = std::thread([this] {
    repeat([this] {
      worker_.renew_leases();
      replace_lost();
    });
  });
  maintenance_thread_ = std::thread([this] { repeat([this] { worker_.run_maintenance(); }); });
}

void WorkerPool::add_thread(std::size_t pool) {
  ++running_[pool];
  threads_.emplace_back([this, pool] { work(pool); });
}

void WorkerPool::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  worker_.stop();
  wake_all();
  for (std::thread& thread : threads) thread.join();
  // What was cut short obeys in its own time: until then its lease is renewed.
  {
    const std::lock_guard lock(mutex_);
    all_put_down_ = true;
  }
  wake_all();
  if (heartbeat_thread_.joinable()) heartbeat_thread_.join();
  if (maintenance_thread_.joinable()) maintenance_thread_.join();
}

void WorkerPool::notify() {
  for (std::size_t pool = 0; pool < pools_.size(); ++pool) wake(pool);
}

void WorkerPool::wake(std::size_t pool) {
  const std::lock_guard lock(mutex_);
  pools_[pool].called = true;
  pools_[pool].woken.notify_one();
}

void WorkerPool::wake_all() {
  for (Idle& idle : pools_) idle.woken.notify_all();
  ended_.notify_all();
}

// Whoever did something wakes others: the end of one task is the beginning of others.
void WorkerPool::work(std::size_t pool) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || surplus(pool)) {
        --running_[pool];
        // It may have been the one that was called, or that looks.
        pools_[pool].called = true;
        pools_[pool].woken.notify_one();
        return;
      }
      pools_[pool].called = false;  // by what comes now
    }
    if (worker_.step(pool, [this, pool] { wake(pool); })) {
      notify();
      if (peers_ != nullptr) peers_->notify();
      continue;
    }
    std::unique_lock lock(mutex_);
    count_idle(pool, 1);
    wait(pool, lock);
    count_idle(pool, -1);
  }
}

void WorkerPool::wait(std::size_t pool, std::unique_lock<std::mutex>& lock) {
  Idle& idle = pools_[pool];
  const auto called = [&] { return stopping_ || idle.called; };
  if (idle.watched) return idle.woken.wait(lock, called);
  idle.watched = true;
  idle.woken.wait_for(lock, options_.poll, called);
  idle.watched = false;
}

// A lost thread that came back finds that another one has its place.
bool WorkerPool::surplus(std::size_t pool) {
  const jobs::PoolState state = worker_.pool_states()[pool];
  return running_[pool] > state.threads + state.lost;
}

void WorkerPool::replace_lost() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  const std::vector<jobs::PoolState> states = worker_.pool_states();
  for (std::size_t pool = 0; pool < states.size(); ++pool) {
    const jobs::PoolState& state = states[pool];
    const bool replace = state.lost > 0 && !half_are_lost(state);
    if (replace && running_[pool] < state.threads + state.lost) add_thread(pool);
  }
}

void WorkerPool::count_idle(std::size_t pool, int change) {
  if (pool != kRenderPool) return;
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
    ended_.wait_for(lock, options_.heartbeat, [this] { return all_put_down_; });
  }
}

}  // namespace pytoon::worker
