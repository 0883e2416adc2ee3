#include "server/jobs/queue_view.h"

#include <algorithm>

namespace pytoon::jobs {

QueueView::QueueView(const std::vector<LiveJob>& jobs) : size_(jobs.size()) {
  for (const LiveJob& job : jobs) {
    Tenant& tenant = tenants_[job.tenant];
    if (job.queued) {
      queued_.push_back(job.rank);
      ++tenant.queued;
    }
    tenant.shares.push_back({job.rank, tenant.open_segments});
    tenant.open_segments += job.open_segments;
  }
}

std::int64_t QueueView::queued_of(const std::string& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.queued;
}

std::int64_t QueueView::position(const Rank& rank) const {
  const auto first_behind = std::lower_bound(queued_.begin(), queued_.end(), rank, served_before);
  return 1 + (first_behind - queued_.begin());
}

std::int64_t QueueView::before(const LiveJob& job) const {
  const auto own = tenants_.find(job.tenant);
  if (own == tenants_.end()) return 0;
  const std::vector<Share>& shares = own->second.shares;
  const auto at = std::lower_bound(
      shares.begin(), shares.end(), job.rank,
      [](const Share& share, const Rank& rank) { return served_before(share.rank, rank); });
  return at == shares.end() ? own->second.open_segments : at->before;
}

std::int64_t QueueView::segments_ahead(const LiveJob& job) const {
  const std::int64_t own_before = before(job);
  std::int64_t ahead = own_before;
  for (const auto& [name, tenant] : tenants_) {
    if (name == job.tenant) continue;
    ahead += std::min(tenant.open_segments, own_before + job.open_segments);
  }
  return ahead;
}

}  // namespace pytoon::jobs
