// Threads for a Worker: drawing and engine threads, one that beats, one that keeps house. Woken by
// a notifier, or by looking every now and then.
//
// Thread rule: start() and stop() from one thread, the rest from any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "server/jobs/ports.h"
#include "server/worker/worker.h"

namespace pytoon::worker {

struct PoolOptions {
  int drawing = 1;                           // threads: segments at once
  int waiting = 4;                           // threads: engines asked and audio made at once
  std::chrono::milliseconds poll{1000};      // how late a task is found when no notifier wake-ups
  std::chrono::milliseconds heartbeat{250};  // how late a lost lease is noticed
};

class WorkerPool final : public jobs::WorkNotifier {
 public:
  // peers: notified when a task of ours may have made work for other processes; may be null.
  WorkerPool(Worker& worker, PoolOptions options, jobs::WorkNotifier* peers = nullptr);
  ~WorkerPool() override;  // stop()

  // report_idle is told whether a render threads has nothing to do, at each change, and false at
  // the start: whoever hears the notifier for us listens just as long. Before start(); must return
  // soon. Engine threads don't count: what they do follows from what our own render threads did.
  void tell(std::function<void(bool)> report_idle) { report_idle_ = std::move(report_idle); }
  void start();
  // Cancels what is running, hands all leases back, joins all threads: as fast as the renderer
  // obeys its cancel token. No attempt is spent, and the next start goes on at once.
  void stop();
  void notify() override;

 private:
  void work(TaskPool pool);
  void count_idle(TaskPool pool, int change);  // with the lock held
  void repeat(const std::function<void()>& body);

  Worker& worker_;
  const PoolOptions options_;
  jobs::WorkNotifier* const peers_;
  std::function<void(bool)> report_idle_ = [](bool) {};
  std::vector<std::thread> threads_;
  std::thread heartbeat_thread_;
  std::thread maintenance_thread_;

  std::mutex mutex_;
  std::condition_variable notified_;
  std::uint64_t notifications_ = 0;  // the rest is guarded by mutex_
  int idle_ = 0;                     // render threads
  bool stopping_ = false;
  bool all_put_down_ = false;
};

}  // namespace pytoon::worker
