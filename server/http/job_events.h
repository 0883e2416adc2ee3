// A job's progress as server-sent events (WHATWG HTML, section "Server-sent events"):
//
//   id: <version>  event: progress  data: <the job's JSON>   at each new version
//   id: <version>  event: done      data: <the job's JSON>   once it is in a final state: the end
//                  event: gone      data: <problem JSON>     when it is gone; the end
//   : still here                                             every 15 s without another event
//
// A client that comes back with Last-Event-ID is told the present state at once if it is another
// one, and always the final state. Slow clients skip versions.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/response.h"
#include "server/jobs/service.h"

namespace pytoon::http {

// Watches jobs for all event streams: it asks for the versions of all that are followed at once,
// a tick at a time, and reads again only what has changed, so that streams cost no query each.
// Thread rule: the events streamer's thread alone, apart from construction.
class JobFeed {
 public:
  explicit JobFeed(jobs::Service& service) : service_(service) {}

  std::shared_ptr<const Result<jobs::Job>> read(const jobs::Caller& caller, const std::string& id,
                                                SteadyTime now);

 private:
  struct Reading {
    std::string id;
    std::shared_ptr<const Result<jobs::Job>> job;  // null when it has changed since
    SteadyTime asked_at;
  };

  void look(SteadyTime now);

  jobs::Service& service_;
  std::map<std::string, Reading> readings_;  // by id and by who may see it
  std::optional<SteadyTime> looked_at_;
};

// The feed outlives the response.
Response event_response(JobFeed& feed, jobs::Caller caller, std::string id,
                        std::string_view last_event_id);

}  // namespace pytoon::http
