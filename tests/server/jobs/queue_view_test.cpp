#include "server/jobs/queue_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace pytoon::jobs {
namespace {

LiveJob live(int priority, std::int64_t seq, const std::string& tenant, std::int64_t open = 1,
             bool queued = true) {
  return {{priority, seq}, tenant, open, queued};
}

std::vector<LiveJob> random_jobs(std::mt19937& engine, int count) {
  std::vector<LiveJob> jobs;
  for (int i = 0; i < count; ++i) {
    jobs.push_back(live(static_cast<int>(engine() % 4), i, "tenant" + std::to_string(engine() % 3),
                        engine() % 5, engine() % 3 != 0));
  }
  std::sort(jobs.begin(), jobs.end(),
            [](const LiveJob& a, const LiveJob& b) { return served_before(a.rank, b.rank); });
  return jobs;
}

std::int64_t counted_ahead(const std::vector<LiveJob>& jobs, const LiveJob& job) {
  std::int64_t own = 0;
  std::map<std::string, std::int64_t> others;
  for (const LiveJob& other : jobs) {
    if (other.tenant != job.tenant) others[other.tenant] += other.open_segments;
    if (other.tenant == job.tenant && served_before(other.rank, job.rank)) {
      own += other.open_segments;
    }
  }
  std::int64_t ahead = own;
  for (const auto& [name, open] : others) ahead += std::min(open, own + job.open_segments);
  return ahead;
}

// Of all tenants when it is "".
std::int64_t queued_of(const std::vector<LiveJob>& jobs, const std::string& tenant) {
  return std::count_if(jobs.begin(), jobs.end(), [&](const LiveJob& job) {
    return job.queued && (tenant.empty() || job.tenant == tenant);
  });
}

TEST(QueueView, SaysWhatCountingSays) {
  std::mt19937 engine(7);
  for (int round = 0; round < 50; ++round) {
    const std::vector<LiveJob> jobs = random_jobs(engine, round);
    const QueueView view(jobs);
    EXPECT_EQ(view.size(), jobs.size());
    EXPECT_EQ(view.queued(), queued_of(jobs, ""));
    EXPECT_EQ(view.queued_of("tenant1"), queued_of(jobs, "tenant1"));
    for (const LiveJob& job : jobs) {
      const auto before = std::count_if(jobs.begin(), jobs.end(), [&](const LiveJob& other) {
        return other.queued && served_before(other.rank, job.rank);
      });
      EXPECT_EQ(view.position(job.rank), 1 + before);
      EXPECT_EQ(view.segments_ahead(job), counted_ahead(jobs, job));
    }
  }
}

TEST(QueueView, AJobThatCameSinceStandsBehindThoseOfItsPriority) {
  const QueueView view({live(9, 4, "a", 3), live(5, 1, "a", 2), live(5, 2, "b", 10)});
  EXPECT_EQ(view.position({5, 8}), 4);
  EXPECT_EQ(view.position({9, 8}), 2);
  EXPECT_EQ(view.position({10, 8}), 1);
  EXPECT_EQ(view.segments_ahead(live(5, 8, "a", 1)), 3 + 2 + 6);
  EXPECT_EQ(view.segments_ahead(live(5, 8, "new", 4)), 0 + 4 + 4);
}

}  // namespace
}  // namespace pytoon::jobs
