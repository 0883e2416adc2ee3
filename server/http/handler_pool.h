// A thread pool behind a bounded queue, for handlers of one purpose, so that slow work never holds
// the threads that read the sockets, nor work of another purpose (handler_pools.h).
//
// An exception that leaves a task is the task's own fault: it is logged and the thread goes on.
//
// Thread rule: any thread may post. stop() waits for the tasks that run and drops those that wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "server/jobs/pool_state.h"

namespace pytoon::http {

struct PoolSize {
  int threads = 1;
  std::size_t waiting_max = 1024;  // tasks in the queue
};

class HandlerPool {
 public:
  // name: as metrics call it. log must outlive the pool.
  HandlerPool(std::string name, PoolSize size, Log& log);
  ~HandlerPool() { stop(); }

  // False when the queue is full or the pool is stopped; then the task is not taken.
  [[nodiscard]] bool post(std::function<void()> task);
  void stop();
  jobs::PoolState state() const;

 private:
  void run();
  void contain(const std::function<void()>& task);

  const std::string name_;
  const PoolSize size_;
  Log& log_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  int busy_ = 0;                               // guarded by mutex_
  bool stopped_ = false;                       // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace pytoon::http
