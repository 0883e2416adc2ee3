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

#include <string_view>

#include "server/http/job_feed.h"
#include "server/http/response.h"

namespace pytoon::http {

// job: as the caller has just read it. The feed outlives the response.
Response event_response(JobFeed& feed, const jobs::Caller& caller, const jobs::Job& job,
                        std::string_view last_event_id);

}  // namespace pytoon::http
