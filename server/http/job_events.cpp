#include "server/http/job_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "server/http/problem.h"

namespace pytoon::http {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};  // less than the streamer's tick
constexpr std::chrono::seconds kForgottenAfter{2};    // a follower asks every tick
constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::string_view kReconnect = "retry: 2000\n\n";

class JobEvents final : public EventSource {
 public:
  JobEvents(JobFeed& feed, jobs::Caller caller, std::string id, std::int64_t seen_version)
      : feed_(feed), caller_(std::move(caller)), id_(std::move(id)), seen_version_(seen_version) {}

  Step next(SteadyTime now) override {
    Step step;
    if (!started_) step.bytes = kReconnect;
    const auto reading = feed_.read(caller_, id_, now);
    const Result<jobs::Job>& job = *reading;
    if (job) {
      tell(*job, step);
    } else if (!traits(job.failure().kind).may_pass()) {
      step.bytes += "event: gone\ndata: " + json_text(to_json(problem_of(job.failure()))) + "\n\n";
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
    // Read before the client's last event came to be, perhaps by another server: look again.
    if (job.version < seen_version_ && !step.last && !std::exchange(looked_again_, true)) return;
    seen_version_ = job.version;
    step.bytes += "id: " + std::to_string(job.version) +
                  (step.last ? "\nevent: done\ndata: " : "\nevent: progress\ndata: ") +
                  json_text(jobs::to_json(job)) + "\n\n";
  }

  JobFeed& feed_;
  const jobs::Caller caller_;
  const std::string id_;
  std::int64_t seen_version_;
  bool started_ = false;
  bool looked_again_ = false;
  SteadyTime spoke_at_;
};

}  // namespace

std::shared_ptr<const Result<jobs::Job>> JobFeed::read(const jobs::Caller& caller,
                                                       const std::string& id, SteadyTime now) {
  if (!looked_at_ || now - *looked_at_ >= kLookEvery) look(now);
  const std::string who = caller.seen_tenant().value_or("*");
  Reading& reading = readings_[who + "/" + id];
  reading.id = id;
  reading.asked_at = now;
  if (!reading.job) {
    reading.job = std::make_shared<const Result<jobs::Job>>(service_.job(caller, id));
  }
  return reading.job;
}

// A database that is away has no news; what could not be read before is tried again.
void JobFeed::look(SteadyTime now) {
  looked_at_ = now;
  std::erase_if(readings_,
                [&](const auto& entry) { return now - entry.second.asked_at > kForgottenAfter; });
  std::vector<std::string> ids;
  for (auto& [key, reading] : readings_) {
    if (reading.job && !reading.job->ok()) reading.job = nullptr;
    if (reading.job) ids.push_back(reading.id);
  }
  if (ids.empty()) return;
  const auto versions = service_.versions(ids);
  if (!versions) return;
  for (auto& [key, reading] : readings_) {
    if (!reading.job) continue;
    const auto found = versions->find(reading.id);
    if (found == versions->end() || found->second != (*reading.job)->version) reading.job = nullptr;
  }
}

Response event_response(JobFeed& feed, jobs::Caller caller, std::string id,
                        std::string_view last_event_id) {
  const auto seen = decimal(last_event_id);
  const std::int64_t seen_version =
      seen && *seen < (1ULL << 62) ? static_cast<std::int64_t>(*seen) : -1;
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  response.body = std::make_unique<JobEvents>(feed, std::move(caller), std::move(id), seen_version);
  return response;
}

}  // namespace pytoon::http
