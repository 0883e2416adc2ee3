#include "server/worker/worker_pool.h"

namespace pytoon::worker {

WorkerPool::WorkerPool(Worker& worker, PoolOptions options, jobs::Bell* neighbours)
    : worker_(worker), options_(options), neighbours_(neighbours) {}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::start() {
  free_hands_(false);
  for (int i = 0; i < options_.drawing; ++i) {
    threads_.emplace_back([this] { work(Hands::kDrawing); });
  }
  for (int i = 0; i < options_.waiting; ++i) {
    threads_.emplace_back([this] { work(Hands::kWaiting); });
  }
  beater_ = std::thread([this] { repeat([this] { worker_.beat(); }); });
  keeper_ = std::thread([this] { repeat([this] { worker_.keep_house(); }); });
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  worker_.stop();
  rung_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // What was cut short obeys in its own time: until then its lease is renewed.
  {
    const std::lock_guard lock(mutex_);
    all_put_down_ = true;
  }
  rung_.notify_all();
  if (beater_.joinable()) beater_.join();
  if (keeper_.joinable()) keeper_.join();
}

void WorkerPool::ring() {
  const std::lock_guard lock(mutex_);
  ++rings_;
  rung_.notify_all();
}

// Whoever did something rings: the end of one task is the beginning of others.
void WorkerPool::work(Hands hands) {
  for (;;) {
    std::uint64_t heard = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      heard = rings_;
    }
    if (worker_.step(hands)) {
      ring();
      if (neighbours_ != nullptr) neighbours_->ring();
      continue;
    }
    std::unique_lock lock(mutex_);
    count_idle(hands, 1);
    rung_.wait_for(lock, options_.poll, [&] { return stopping_ || rings_ != heard; });
    count_idle(hands, -1);
  }
}

void WorkerPool::count_idle(Hands hands, int change) {
  if (hands != Hands::kDrawing) return;
  const bool before = idle_ > 0;
  idle_ += change;
  if ((idle_ > 0) != before) free_hands_(idle_ > 0);
}

void WorkerPool::repeat(const std::function<void()>& body) {
  std::unique_lock lock(mutex_);
  while (!all_put_down_) {
    lock.unlock();
    body();
    lock.lock();
    rung_.wait_for(lock, options_.beat, [this] { return all_put_down_; });
  }
}

}  // namespace pytoon::worker
