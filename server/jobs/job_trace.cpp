#include "server/jobs/job_trace.h"

#include "base/hash.h"
#include "base/ids.h"

namespace pytoon::jobs {
namespace {

constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;

// Of an id that is no UUID (a test's) the hash will do.
std::string trace_id_of(const std::string& job_id) {
  const auto own = parse_traceparent("00-" + without_dashes(job_id) + "-" +
                                     std::string(kSpanDigits, '1') + "-01");
  return own ? own->trace_id : sha256_hex(job_id).substr(0, kTraceDigits);
}

}  // namespace

TraceContext trace_of(const std::string& job_id, const std::string& traceparent) {
  const auto caller = parse_traceparent(traceparent);
  return {caller ? caller->trace_id : trace_id_of(job_id),
          sha256_hex("span of job " + job_id).substr(0, kSpanDigits), !caller || caller->sampled};
}

Span job_span(const Job& job, WallTime ended, const std::string& error) {
  const auto caller = parse_traceparent(job.traceparent);
  return {trace_of(job), caller ? caller->span_id : "", "job", job.created_at, ended, job.id, {},
          error};
}

}  // namespace pytoon::jobs
