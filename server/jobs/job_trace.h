// The trace of a job. Its id is the caller's where the submission had a traceparent, else the job's
// own id without dashes, so that logs, spans and webhooks of one job are found by one number.
// The job's root span has an id of its own, the same in every process: all spans hang under it,
// and engines and receivers of webhooks are handed it as their parent.
//
// Thread rule: values and pure functions; SpanSink from any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/trace_context.h"
#include "server/jobs/job.h"

namespace pytoon::jobs {

// `traceparent`: the caller's, "" where there was none. What is handed on.
TraceContext trace_of(const std::string& job_id, const std::string& traceparent);
inline TraceContext trace_of(const Job& job) { return trace_of(job.id, job.traceparent); }

// A piece of a job's way, when it is over.
struct Span {
  TraceContext trace;     // span_id "": its sink draws one
  std::string parent_id;  // "" is none
  std::string name;       // "job", "prepare", "footage", "audio", "render", "assemble"
  WallTime began;
  WallTime ended;
  std::string job_id;
  std::optional<int> segment;
  std::string error;  // "" when it went well
};

// The root, under which all others of the job hang: who ends the job tells it.
Span job_span(const Job& job, WallTime ended, const std::string& error);

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Microseconds: never blocks, never fails; forgets spans when there are too many.
  virtual void ended(Span span) = 0;
};

}  // namespace pytoon::jobs
