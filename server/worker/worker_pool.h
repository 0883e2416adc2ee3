// Threads for a Worker: drawing and waiting hands, and one that beats. Woken by a bell, or by
// looking every now and then.
//
// Thread rule: start() and stop() from one thread, the rest from any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "server/jobs/ports.h"
#include "server/worker/worker.h"

namespace pytoon::worker {

struct PoolOptions {
  int drawing = 1;                       // threads: segments at once
  int waiting = 4;                       // threads: engines asked and sounds made at once
  std::chrono::milliseconds poll{1000};  // how late a task is found when no bell rings
  std::chrono::milliseconds beat{250};   // how late a lost lease is noticed
};

class WorkerPool final : public jobs::Bell {
 public:
  // neighbours: rung when a task of ours may have made work for other processes; may be null.
  WorkerPool(Worker& worker, PoolOptions options, jobs::Bell* neighbours = nullptr);
  ~WorkerPool() override;  // stop()

  void start();
  // Cancels what is running, hands all leases back, joins all threads: as fast as the renderer
  // obeys its cancel token. No attempt is spent, and the next start goes on at once.
  void stop();
  void ring() override;

 private:
  void work(Hands hands);
  void beat();

  Worker& worker_;
  const PoolOptions options_;
  jobs::Bell* const neighbours_;
  std::vector<std::thread> threads_;
  std::thread beater_;

  std::mutex mutex_;
  std::condition_variable rung_;
  std::uint64_t rings_ = 0;    // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  bool all_put_down_ = false;  // guarded by mutex_
};

}  // namespace pytoon::worker
