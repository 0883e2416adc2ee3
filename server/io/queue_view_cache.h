// The view of the queue that looks at jobs and the limits of queues share, so that a long queue is
// not read for each of them: it is good for twenty times as long as reading it took. A short queue
// is read anew each time; of a long one the answers are a little old, and reading it takes a
// twentieth of a core at most.
//
// Thread rule: any thread. One of them reads while the others take the last view, unless that is
// older than kOldest. Blocks on the database.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "server/io/sql.h"
#include "server/jobs/queue_view.h"

namespace pytoon::io {

class QueueViewCache {
 public:
  static constexpr std::size_t kShort = 200;  // jobs
  static constexpr int kTimesItsCost = 20;
  static constexpr std::chrono::seconds kOldest{2};

  // The clock must outlive it.
  explicit QueueViewCache(const Clock& clock) : clock_(clock) {}

  std::shared_ptr<const jobs::QueueView> of(SqlSession& session);

 private:
  // Null when the caller must read.
  std::shared_ptr<const jobs::QueueView> kept();
  void keep(const std::shared_ptr<const jobs::QueueView>& view, SteadyTime began);

  const Clock& clock_;
  std::mutex mutex_;  // protects what follows
  std::shared_ptr<const jobs::QueueView> view_;
  SteadyTime read_at_{};
  SteadyTime good_until_{};
  bool being_read_ = false;
};

}  // namespace pytoon::io
