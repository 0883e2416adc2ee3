#include "server/http/job_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "server/http/problem.h"

namespace pytoon::http {
namespace {

constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::string_view kReconnect = "retry: 2000\n\n";

class JobEvents final : public EventSource {
 public:
  JobEvents(JobFeed::Follower follower, std::int64_t seen_version)
      : follower_(std::move(follower)), seen_version_(seen_version) {}

  Step next(SteadyTime now) override {
    Step step;
    if (!started_) step.bytes = kReconnect;
    const JobFeed::Reading reading = follower_.latest();
    if (reading->ok()) {
      tell(**reading, step);
    } else {
      const Problem problem = problem_of(reading->failure());
      step.bytes += "event: gone\ndata: " + json_text(to_json(problem)) + "\n\n";
      step.last = true;
    }
    if (step.bytes.empty() && now - spoke_at_ >= kHeartbeat) step.bytes = ": still here\n\n";
    if (!step.bytes.empty()) spoke_at_ = now;
    started_ = true;
    return step;
  }

 private:
  void tell(const jobs::Job& job, Step& step) {
    step.last = jobs::is_terminal(job.status);
    if (job.version == seen_version_ && !step.last) return;
    seen_version_ = job.version;
    step.bytes += "id: " + std::to_string(job.version) +
                  (step.last ? "\nevent: done\ndata: " : "\nevent: progress\ndata: ") +
                  json_text(jobs::to_json(job)) + "\n\n";
  }

  const JobFeed::Follower follower_;
  std::int64_t seen_version_;
  bool started_ = false;
  SteadyTime spoke_at_;
};

}  // namespace

Response event_response(JobFeed& feed, const jobs::Caller& caller, const jobs::Job& job,
                        std::string_view last_event_id) {
  const auto seen = decimal(last_event_id);
  const std::int64_t seen_version =
      seen && *seen < (1ULL << 62) ? static_cast<std::int64_t>(*seen) : -1;
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  response.body = std::make_unique<JobEvents>(feed.follow(caller, job), seen_version);
  return response;
}

}  // namespace pytoon::http
