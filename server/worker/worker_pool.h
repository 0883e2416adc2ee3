// Threads for a Worker: drawing and waiting hands, one that beats, one that keeps house. Woken by a
// bell, or by looking every now and then.
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

  // free_hands is told whether a drawing hand has nothing to do, at each change, and false at the
  // start: whoever hears the bell for us listens just as long. Before start(); must return soon.
  // Waiting hands don't count: what they do follows from what our own drawing hands did.
  void tell(std::function<void(bool)> free_hands) { free_hands_ = std::move(free_hands); }
  void start();
  // Cancels what is running, hands all leases back, joins all threads: as fast as the renderer
  // obeys its cancel token. No attempt is spent, and the next start goes on at once.
  void stop();
  void ring() override;

 private:
  void work(Hands hands);
  void count_idle(Hands hands, int change);  // with the lock held
  void repeat(const std::function<void()>& body);

  Worker& worker_;
  const PoolOptions options_;
  jobs::Bell* const neighbours_;
  std::function<void(bool)> free_hands_ = [](bool) {};
  std::vector<std::thread> threads_;
  std::thread beater_;
  std::thread keeper_;

  std::mutex mutex_;
  std::condition_variable rung_;
  std::uint64_t rings_ = 0;  // the rest is guarded by mutex_
  int idle_ = 0;             // drawing hands
  bool stopping_ = false;
  bool all_put_down_ = false;
};

}  // namespace pytoon::worker
