// A thread that does one thing again and again until it is told to stop: sending webhooks,
// collecting garbage.
//
// Thread rule: constructed and destroyed by one thread. The destructor waits for the step under
// way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace pytoon::app {

class PeriodicTask {
 public:
  // step() says whether there was something to do; after a no it is asked again in `pause`.
  PeriodicTask(std::function<bool()> step, std::chrono::milliseconds pause)
      : step_(std::move(step)), pause_(pause), thread_([this] { run(); }) {}
  ~PeriodicTask() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    told_.notify_all();
    thread_.join();
  }
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      const bool busy = step_();
      lock.lock();
      if (!busy) told_.wait_for(lock, pause_, [this] { return stopping_; });
    }
  }

  const std::function<bool()> step_;
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace pytoon::app
