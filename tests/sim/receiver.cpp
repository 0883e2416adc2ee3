#include "tests/sim/receiver.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pytoon::sim {
namespace {

std::string header_of(const HttpRequest& request, const std::string& name) {
  const auto found = std::find_if(request.headers.begin(), request.headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == request.headers.end() ? "" : found->second;
}

}  // namespace

void Receiver::arrived(const HttpRequest& request, bool taken) {
  ++arrivals_;
  const std::string id = header_of(request, "webhook-id");
  const std::string& body = std::get<std::string>(request.body);
  const auto data = nlohmann::json::parse(body).at("data");
  const std::string job_id = data.at("job_id");
  const std::string status = data.at("status");
  const auto [known, fresh] = bodies_.emplace(id, body);
  if (!fresh && known->second != body) note("message " + id + " came with two bodies");
  Told& told = told_[job_id];
  told.ids.insert(id);
  if (taken) told.taken.insert(status);

  const auto job = store_.job(job_id);
  if (!job) return note("message " + id + " tells of no job");
  if (job->webhook_url != request.url) note("message " + id + " went to a wrong address");
  if (!is_terminal(*jobs::job_status_from_name(status))) note("message " + id + " tells of no end");
  const bool retried = job->run > 1;  // what it tells of may be an end of an earlier run
  if (!retried && name_of(job->status) != status) {
    note("message " + id + " says " + status + " of a job that is " +
         std::string(name_of(job->status)));
  }
  if (std::ssize(told.ids) > job->run) note("job " + job_id + " has more ids than runs");
}

void Receiver::check_told(const jobs::Job& job) {
  const std::string status(name_of(job.status));
  const bool wanted = !job.webhook_url.empty();
  const auto told = told_.find(job.id);
  if (!wanted && told != told_.end()) note("job " + job.id + " asked for no webhook and got one");
  if (wanted && (told == told_.end() || !told->second.taken.contains(status))) {
    note("job " + job.id + " is " + status + " and its webhook was never told");
  }
}

}  // namespace pytoon::sim
