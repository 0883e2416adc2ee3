#include "benchmarks/admission/trace.h"

#include <nlohmann/json.hpp>

namespace pytoon::benchmark {
namespace {

using nlohmann::json;

JobSpec job_from(const json& fields) {
  JobSpec job;
  job.at_s = fields.at("at_s");
  job.priority = fields.at("priority");
  job.local_preferred = fields.at("local_preferred");
  for (const json& one : fields.at("generations")) {
    job.generations.push_back({one.at("workflow"), one.at("scale"), one.at("run_s")});
  }
  for (const json& one : fields.at("segments")) {
    job.segments.push_back({one.at("gib"), one.at("run_s")});
  }
  return job;
}

EventSpec event_from(const json& fields) {
  EventSpec event;
  event.at_s = fields.at("at_s");
  event.gpu = fields.at("gpu");
  event.value = fields.at("value");
  const std::string kind = fields.at("kind");
  using Kind = EventSpec::Kind;
  if (kind == "foreign") {
    event.kind = Kind::kForeign;
  } else if (kind == "restart") {
    event.kind = Kind::kRestart;
  } else if (kind == "death") {
    event.kind = Kind::kDeath;
  } else {
    event.kind = Kind::kStall;
  }
  return event;
}

void read_line(const json& line, Trace& trace) {
  const std::string& kind = line.begin().key();
  const json& fields = line.begin().value();
  if (kind == "trace") {
    trace.seed = fields.at("seed");
    trace.load = fields.at("load");
    trace.seconds = fields.at("seconds");
  } else if (kind == "gpu") {
    trace.gpus.push_back({fields.at("total_gib"), fields.at("dynamic")});
  } else if (kind == "model") {
    trace.models.push_back({fields.at("name"), fields.at("weights_gib"), fields.at("sampling_gib"),
                            fields.at("decode_gib"), fields.at("run_s"), fields.at("load_s"),
                            fields.at("api_usd"), fields.at("api_latency_s")});
  } else if (kind == "workflow") {
    trace.workflows.push_back({fields.at("model"), fields.at("run_s")});
  } else if (kind == "job") {
    trace.jobs.push_back(job_from(fields));
  } else {
    trace.events.push_back(event_from(fields));
  }
}

}  // namespace

Result<Trace> read_trace(std::istream& in) {
  Trace trace;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    try {
      read_line(json::parse(text), trace);
    } catch (const json::exception& error) {
      return failure(FailureKind::kMalformed,
                     "line " + std::to_string(number) + " of the trace: " + error.what());
    }
  }
  if (trace.gpus.empty() || trace.seconds <= 0) {
    return failure(FailureKind::kMalformed, "the trace has no card or no length");
  }
  return trace;
}

}  // namespace pytoon::benchmark
