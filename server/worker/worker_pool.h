// The threads of this process that make videos. They lease jobs and share their segments: the job
// leased first is served first, and threads that find nothing to do in it take up the next one. One
// more thread keeps the leases and the progress.
//
// A job that crashed repeatedly runs alone, so that it takes no other with it.
//
// Thread rule: start() and stop() from one thread, the rest from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/jobs/ports.h"
#include "server/worker/job_run.h"

namespace pytoon::worker {

struct PoolOptions {
  int threads = 1;     // segments at once
  std::string holder;  // who we are in leases: unique for each start of a process
  RunOptions run;
  std::chrono::milliseconds poll{1000};  // how late a job is found when no bell rings
  std::chrono::milliseconds beat{250};   // how late a lost lease is noticed
};

class WorkerPool final : public jobs::Bell {
 public:
  WorkerPool(const RunParts& parts, PoolOptions options);
  ~WorkerPool() override;  // stop()

  // Takes over what dead processes left (the store must be this process's own) and starts.
  Status start();
  // Cancels what is running, hands all leases back, joins all threads: as fast as the renderer
  // obeys its cancel token. No attempt is spent, and the next start goes on at once.
  void stop();

  void ring() override;
  // No new leases; leased jobs are finished.
  void set_draining(bool draining);
  int active_jobs() const;

 private:
  void work();
  void keep_leases();
  // All with the lock held:
  std::shared_ptr<JobRun> pick() const;
  bool may_lease() const;
  void lease(std::unique_lock<std::mutex>& lock);  // let go of meanwhile
  void forget_ended();

  const RunParts parts_;
  const PoolOptions options_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // there may be work
  std::condition_variable stopped_;
  std::vector<std::shared_ptr<JobRun>> runs_;  // in the order they were leased
  bool stopping_ = false;
  bool draining_ = false;
  bool leasing_ = false;
  bool rung_ = true;
  SteadyTime lease_again_at_{};
};

}  // namespace pytoon::worker
