#include "server/worker/worker_pool.h"

namespace pytoon::worker {
namespace {

constexpr std::size_t kRenderPool = 0;  // the first of pools_for()

}  // namespace

WorkerPool::WorkerPool(Worker& worker, PoolOptions options, jobs::WorkNotifier* peers)
    : worker_(worker), options_(options), peers_(peers), running_(worker.pools().size(), 0) {}

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
  notified_.notify_all();
  for (std::thread& thread : threads) thread.join();
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
void WorkerPool::work(std::size_t pool) {
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || surplus(pool)) {
        --running_[pool];
        return;
      }
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
    notified_.wait_for(lock, options_.heartbeat, [this] { return all_put_down_; });
  }
}

}  // namespace pytoon::worker
