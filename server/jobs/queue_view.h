// The queue at one moment: who is served before whom. By priority, then by age; fairness between
// tenants may serve a job sooner or later than its place says.
//
// Thread rule: any thread, once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace pytoon::jobs {

// Where a job stands: of higher priority first, then of lower seq, the order of creation.
struct Rank {
  int priority = 0;
  std::int64_t seq = 0;
};

inline bool served_before(const Rank& a, const Rank& b) {
  return a.priority != b.priority ? a.priority > b.priority : a.seq < b.seq;
}

// A job that has not ended.
struct LiveJob {
  Rank rank;
  std::string tenant;
  std::int64_t open_segments = 0;
  bool queued = false;
};

class QueueView {
 public:
  // `jobs` in the order of their ranks.
  explicit QueueView(const std::vector<LiveJob>& jobs);

  std::size_t size() const { return size_; }
  // Jobs that wait to be begun: all, and the tenant's.
  std::int64_t queued() const { return static_cast<std::int64_t>(queued_.size()); }
  std::int64_t queued_of(const std::string& tenant) const;
  // 1 is next. A job that came since stands where it would have stood.
  std::int64_t position(const Rank& rank) const;
  // Open segments that are served before the job's own. Of its own tenant: those before it. Of each
  // other tenant: as much as the own one gets until the job is drawn, since tenants take turns.
  std::int64_t segments_ahead(const LiveJob& job) const;

 private:
  struct Share {
    Rank rank;
    std::int64_t before = 0;  // open segments of the tenant's jobs that are served before this one
  };
  struct Tenant {
    std::vector<Share> shares;
    std::int64_t open_segments = 0;
    std::int64_t queued = 0;
  };

  std::int64_t before(const LiveJob& job) const;

  std::size_t size_;
  std::vector<Rank> queued_;
  std::unordered_map<std::string, Tenant> tenants_;
};

}  // namespace pytoon::jobs
