#include "server/jobs/eta_estimator.h"

#include <algorithm>
#include <cmath>

#include "server/jobs/task_rules.h"

namespace pytoon::jobs {
namespace {

constexpr std::chrono::seconds kAnswerLife{1};
constexpr double kShareDrained = 0.1;
constexpr std::chrono::seconds kRetryShortest{1};
constexpr std::chrono::seconds kRetryUnknown{60};
constexpr std::chrono::seconds kRetryLongest{600};

}  // namespace

std::optional<std::int64_t> eta_seconds(const EtaInputs& inputs) {
  if (inputs.threads < 1 || inputs.seconds_per_segment <= 0) return std::nullopt;
  const double shared = (inputs.segments_ahead + inputs.own_segments) / inputs.threads;
  const double rounds = std::max(shared, std::min(inputs.own_segments, 1.0));
  const double seconds = std::ceil(inputs.seconds_per_segment * rounds);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(seconds));
}

std::chrono::seconds retry_after(const Backlog& backlog) {
  if (backlog.threads < 1 || backlog.seconds_per_segment <= 0) return kRetryUnknown;
  const double drain =
      static_cast<double>(backlog.open_segments) * backlog.seconds_per_segment / backlog.threads;
  const double jobs = static_cast<double>(std::max<std::int64_t>(backlog.queued_jobs, 1));
  const double share = std::max(kShareDrained, 1 / jobs);
  const std::chrono::seconds wait(static_cast<std::int64_t>(
      std::min(std::ceil(drain * share), static_cast<double>(kRetryLongest.count()))));
  return std::clamp(wait, kRetryShortest, kRetryLongest);
}

double segments_left(const Job& job) {
  const double drawn = std::min(static_cast<double>(job.progress_pct) / kPctWhenDrawn, 1.0);
  return static_cast<double>(job.spec.segments.size()) * (1.0 - drawn);
}

std::optional<std::int64_t> EtaEstimator::eta_seconds(const Job& job) {
  if (is_terminal(job.status)) return std::nullopt;
  const std::optional<Backlog> work = backlog(clock_.steady_now());
  if (!work) return std::nullopt;
  return jobs::eta_seconds({static_cast<double>(job.segments_ahead), segments_left(job),
                            work->seconds_per_segment, work->threads});
}

std::optional<Backlog> EtaEstimator::backlog(SteadyTime now) {
  {
    const std::lock_guard lock(mutex_);
    if (backlog_ && now - backlog_at_ < kAnswerLife) return backlog_;
  }
  const Result<Backlog> answer = store_.backlog();
  if (!answer) return std::nullopt;
  const std::lock_guard lock(mutex_);
  backlog_ = *answer;
  backlog_at_ = now;
  return backlog_;
}

}  // namespace pytoon::jobs
