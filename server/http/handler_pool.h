// Threads that run handlers, behind a bounded queue, so that slow work never holds the threads that
// read the sockets.
//
// Thread rule: any thread may post. stop() waits for the tasks that run and drops those that wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pytoon::http {

class HandlerPool {
 public:
  HandlerPool(int threads, std::size_t waiting_max);
  ~HandlerPool() { stop(); }

  // False when the queue is full or the pool is stopped; then the task is not taken.
  // A task must not throw.
  [[nodiscard]] bool post(std::function<void()> task);
  void stop();

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  bool stopped_ = false;                       // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace pytoon::http
