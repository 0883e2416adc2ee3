// Sends the spans of jobs to an OpenTelemetry collector: OTLP over HTTP, JSON
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp; the mapping of its protobuf messages to
// JSON: ids in lower-case hex, 64-bit numbers as decimal strings, enumerations as numbers).
//
// Spans wait in a queue of at most kSpansWaitingMax; what comes when it is full is forgotten and
// counted, for a job never waits for a collector. What a collector refuses for good is forgotten,
// what it can't take now is sent again.
//
// Thread rule: ended() and stop() from any thread, microseconds. step() and flush() from one
// thread, block while they send; stop() ends a step() under way.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/http_client.h"
#include "base/ids.h"
#include "base/log.h"
#include "server/jobs/job_trace.h"

namespace pytoon::observe {

inline constexpr std::size_t kSpansWaitingMax = 4096;

struct SpanExporterOptions {
  std::string endpoint;  // of the collector, without /v1/traces
  std::vector<std::pair<std::string, std::string>> headers;
  std::string version;      // of this program
  std::string instance_id;  // of this process
};

class SpanExporter final : public jobs::SpanSink {
 public:
  SpanExporter(HttpClient& client, IdSource& ids, Log& log, SpanExporterOptions options);

  void ended(jobs::Span span) override;
  // Sends what waits, up to a bounded number; false when there is nothing more to do now.
  bool step();
  void stop();
  // What waits is sent once more, in a second at most, then forgotten.
  void flush();

  std::size_t waiting() const;
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  bool send(const std::vector<jobs::Span>& batch, std::chrono::milliseconds limit,
            const CancelToken& cancel);
  void tell(bool reached, const std::string& reason);

  HttpClient& client_;
  IdSource& ids_;
  Log& log_;
  const SpanExporterOptions options_;
  CancelToken cancel_;
  mutable std::mutex mutex_;  // guards queue_
  std::deque<jobs::Span> queue_;
  std::atomic<std::uint64_t> forgotten_{0};
  std::atomic<bool> missing_{false};
};

// The body of a request: an ExportTraceServiceRequest.
std::string otlp_json(const std::vector<jobs::Span>& spans, const SpanExporterOptions& options);

}  // namespace pytoon::observe
