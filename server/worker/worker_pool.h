// Threads for a Worker: those of its pools, one that renews leases (the heartbeat), one that does
// maintenance. Woken by a notifier, or by looking every now and then.
//
// A notification wakes one idle thread of each pool, and so does a thread that found a task, since
// there may be more: as many ask the database as there are tasks, and one. Of the idle threads of a
// pool one looks now and then without being woken.
//
// A thread that hangs for good is replaced, and ends when it comes back after all. When half of a
// pool's threads are lost none is replaced any more: the process is marked unusable by then.
//
// Thread rule: start() and stop() from one thread, the rest from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/jobs/ports.h"
#include "server/worker/worker.h"

namespace pytoon::worker {

struct PoolOptions {
  std::chrono::milliseconds poll{1000};      // how late a task is found when no notifier wake-ups
  std::chrono::milliseconds heartbeat{250};  // how late a lost lease is noticed
};

class WorkerPool final : public jobs::WorkNotifier {
 public:
  // peers: notified when a task of ours may have made work for other processes; may be null.
  WorkerPool(Worker& worker, PoolOptions options, jobs::WorkNotifier* peers = nullptr);
  ~WorkerPool() override;  // stop()

  // Told whether a render thread has nothing to do, at each change, and false at the start: whoever
  // hears the notifier for us listens just as long. Before start(); must return soon. Other pools
  // don't count: what they do follows from what our own render threads did.
  void tell(std::function<void(bool)> report_idle) { report_idle_ = std::move(report_idle); }
  void start();
  // Cancels what is running, hands all leases back, joins all threads: as fast as the renderer
  // obeys its cancel token. No attempt is spent, and the next start goes on at once. A lost thread
  // is waited for, too: the caller must have a limit of its own.
  void stop();
  void notify() override;

 private:
  // The idle threads of a pool.
  struct Idle {
    std::condition_variable woken;
    bool called = false;   // one of them is to look
    bool watched = false;  // one of them looks now and then
  };

  void wake(std::size_t pool);
  void wait(std::size_t pool, std::unique_lock<std::mutex>& lock);
  void wake_all();
  void add_thread(std::size_t pool);  // with the lock held
  void work(std::size_t pool);
  bool surplus(std::size_t pool);                 // with the lock held
  void count_idle(std::size_t pool, int change);  // with the lock held
  void replace_lost();
  void repeat(const std::function<void()>& body);

  Worker& worker_;
  const PoolOptions options_;
  jobs::WorkNotifier* const peers_;
  std::function<void(bool)> report_idle_ = [](bool) {};
  std::thread heartbeat_thread_;
  std::thread maintenance_thread_;

  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Idle> pools_;            // this and what follows: guarded by mutex_
  std::vector<std::thread> threads_;  // of all pools; some may have ended
  std::vector<int> running_;          // threads of each pool that have not ended
  int idle_ = 0;                      // render threads
  bool stopping_ = false;
  bool all_put_down_ = false;
};

}  // namespace pytoon::worker
