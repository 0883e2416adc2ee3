#include "server/io/queue_view_cache.h"

#include <algorithm>

namespace pytoon::io {
namespace {

std::vector<jobs::LiveJob> read_live_jobs(SqlSession& session) {
  const Rows rows = session.query(
      "SELECT priority, seq, tenant, open_segments, CASE WHEN status = 'QUEUED' THEN 1 ELSE 0 END "
      "FROM jobs WHERE status IN ('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING') ORDER "
      "BY priority DESC, seq");
  std::vector<jobs::LiveJob> jobs;
  jobs.reserve(rows.size());
  for (const Row& row : rows) {
    jobs.push_back(
        {{row.small(0), row.integer(1)}, row.text(2), row.integer(3), row.integer(4) != 0});
  }
  return jobs;
}

}  // namespace

std::shared_ptr<const jobs::QueueView> QueueViewCache::of(SqlSession& session) {
  if (auto view = kept()) return view;
  const SteadyTime began = clock_.steady_now();
  try {
    auto view = std::make_shared<const jobs::QueueView>(read_live_jobs(session));
    keep(view, began);
    return view;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    being_read_ = false;
    throw;
  }
}

std::shared_ptr<const jobs::QueueView> QueueViewCache::kept() {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  const bool usable = now < good_until_ || (being_read_ && now < read_at_ + kOldest);
  if (view_ && usable) return view_;
  being_read_ = true;
  return nullptr;
}

void QueueViewCache::keep(const std::shared_ptr<const jobs::QueueView>& view, SteadyTime began) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  view_ = view;
  read_at_ = began;
  const SteadyTime::duration life = view->size() < QueueViewCache::kShort
                                        ? SteadyTime::duration(0)
                                        : kTimesItsCost * (now - began);
  good_until_ = now + std::min<SteadyTime::duration>(life, kOldest);
  being_read_ = false;
}

}  // namespace pytoon::io
