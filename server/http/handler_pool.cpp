#include "server/http/handler_pool.h"

#include <exception>
#include <utility>

namespace pytoon::http {

HandlerPool::HandlerPool(std::string name, PoolSize size, Log& log)
    : name_(std::move(name)), size_(size), log_(log) {
  for (int i = 0; i < size_.threads; ++i) threads_.emplace_back([this] { run(); });
}

bool HandlerPool::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= size_.waiting_max) return false;
    waiting_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void HandlerPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    ++busy_;
    lock.unlock();
    contain(task);
    task = nullptr;  // what it holds is let go before the thread counts as free
    lock.lock();
    --busy_;
  }
}

// An exception that left the thread would end the process.
void HandlerPool::contain(const std::function<void()>& task) {
  try {
    task();
  } catch (const std::exception& error) {
    log_.error("http_pool_task_crash", {{"pool", name_}, {"error", error.what()}});
  } catch (...) {
    log_.error("http_pool_task_crash", {{"pool", name_}, {"error", "not a std::exception"}});
  }
}

void HandlerPool::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

jobs::PoolState HandlerPool::state() const {
  const std::lock_guard lock(mutex_);
  jobs::PoolState state;
  state.name = name_;
  state.threads = size_.threads;
  state.busy = busy_;
  state.queued = static_cast<int>(waiting_.size());
  return state;
}

}  // namespace pytoon::http
