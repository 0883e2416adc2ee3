#include "server/worker/task.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/worker/job_inputs.h"

namespace pytoon::worker {
using jobs::ReleaseReason;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kNap{100};
constexpr milliseconds kLongestGoodbye{5000};

const char* span_name(TaskKind kind) {
  switch (kind) {
    case TaskKind::kPrepare:
      return "prepare";
    case TaskKind::kFootage:
      return "footage";
    case TaskKind::kAudio:
      return "audio";
    case TaskKind::kRender:
      return "render";
    case TaskKind::kFinish:
      return "assemble";
  }
  CHECK(false, "a kind of work has no name");
}

// Counted by the store's clock, so that no new worker and no restart gives a job more time.
SteadyTime engines_until(const jobs::LeasedTask& leased, const WorkerContext& context) {
  const WallTime began = leased.job.taken_at.value_or(leased.leased_at);
  const milliseconds time =
      context.options.job_time.for_engines(leased.job.spec.target_duration_seconds);
  return context.deps.clock.steady_now() + time - (leased.leased_at - began);
}

}  // namespace

Task::Task(jobs::LeasedTask leased, WorkerContext& context)
    : leased_(std::move(leased)),
      context_(context),
      leased_at_(context.deps.clock.steady_now()),
      engines_until_(engines_until(leased_, context)) {}

bool is_lost(const Failure& failure) {
  return failure.kind == FailureKind::kNotFound || failure.kind == FailureKind::kMalformed;
}

Result<bool> intact(const std::string& key, const std::string& sha256, jobs::ObjectStore& storage) {
  if (key.empty()) return false;
  const Result<std::filesystem::path> file = storage.local(key);
  const Result<std::string> found = file ? sha256_file(*file) : Result<std::string>(file.failure());
  if (found) return *found == sha256;
  if (is_lost(found.failure())) return false;
  return found.failure();
}

Result<bool> intact(const jobs::Segment& segment, jobs::ObjectStore& storage) {
  if (segment.status != jobs::SegmentStatus::kDone) return false;
  return intact(segment.artifact_key, segment.artifact_sha256, storage);
}

void Task::stop(Stop why) {
  Stop none = Stop::kNone;
  if (stop_.compare_exchange_strong(none, why)) cancel_.cancel();
}

nlohmann::ordered_json Task::about_job(const nlohmann::ordered_json& more) const {
  nlohmann::ordered_json fields{{"job_id", leased_.job.id},
                                {"trace_id", jobs::trace_of(leased_.job).trace_id}};
  fields.update(more);
  return fields;
}

nlohmann::ordered_json Task::about(const nlohmann::ordered_json& more) const {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  if (leased_.lease.segment >= 0) fields["segment_id"] = leased_.lease.segment;
  fields.update(more);
  return about_job(fields);
}

// One span for each piece of work that was begun, handed back ones too.
void Task::tell_span(std::string name, WallTime began, const std::string& error) {
  if (context_.deps.spans == nullptr) return;
  const TraceContext trace = jobs::trace_of(leased_.job);
  jobs::Span span{{trace.trace_id, "", trace.sampled},
                  trace.span_id,
                  std::move(name),
                  began,
                  context_.deps.clock.now(),
                  leased_.job.id,
                  {},
                  error};
  if (leased_.lease.segment >= 0) span.segment = leased_.lease.segment;
  context_.deps.spans->ended(std::move(span));
}

void Task::tell_job_span(const std::string& error) {
  if (context_.deps.spans == nullptr) return;
  context_.deps.spans->ended(jobs::job_span(leased_.job, context_.deps.clock.now(), error));
}

void Task::run() {
  const WallTime began = context_.deps.clock.now();
  try {
    const Status done = perform();
    tell_span(span_name(leased_.lease.kind), began, done ? "" : done.failure().detail);
    if (done) {
      context_.retry_budget.succeeded();
    } else {
      on_failure(done.failure());
    }
  } catch (const std::exception& error) {
    context_.deps.log.error("job_runner_crash",
                            about({{"task", name_of(leased_.lease.kind)}, {"what", error.what()}}));
    give_back(ReleaseReason::kCrashed, context_.options.back_off);
  }
}

void Task::tell_lease_lost() {
  context_.deps.metrics.lease_lost(leased_.lease.kind);
  context_.deps.log.warning("lease_lost", about({{"task", name_of(leased_.lease.kind)}}));
}

Status Task::perform() {
  switch (leased_.lease.kind) {
    case TaskKind::kPrepare:
      return prepare();
    case TaskKind::kFootage:
      return decide_footage();
    case TaskKind::kAudio:
      return make_audio();
    case TaskKind::kRender:
      return render();
    case TaskKind::kFinish:
      return finish();
  }
  CHECK(false, "a kind of work has no step");
}

void Task::give_back(ReleaseReason ending, milliseconds delay) {
  ends_ = true;
  const SteadyTime began = context_.deps.clock.steady_now();
  try {
    for (;;) {
      const Status released = context_.deps.tasks.release(leased_.lease, ending, delay);
      if (released || released.failure().kind == FailureKind::kConflict) return;
      context_.deps.log.warning("lease_not_released",
                                about({{"reason", released.failure().detail}}));
      const bool late = context_.deps.clock.steady_now() - began > kLongestGoodbye;
      if (!traits(released.failure().kind).transient() || stop_ == Stop::kLost) return;
      if (stop_ == Stop::kLeaving && late) return;
      wait_for_store();
    }
  } catch (const std::exception& error) {
    context_.deps.log.error("job_runner_crash", about({{"what", error.what()}}));
  }
}

Status Task::commit(const std::function<Status()>& write) {
  ends_ = true;
  Status done = persist(write);
  if (!done) ends_ = false;
  return done;
}

// A hint: where the store is away nobody can read it either.
void Task::tell_waiting(const std::string& why) {
  if (std::exchange(waiting_for_, why) == why) return;
  const Status ignored = context_.deps.tasks.put_waiting(leased_.lease, why);
}

Status Task::persist(const std::function<Status()>& write) {
  for (;;) {
    Status done = write();
    if (done || !traits(done.failure().kind).transient() || stopped()) return done;
    answer_lost_ = true;
    context_.deps.log.warning("task_retry_scheduled", about({{"reason", done.failure().detail}}));
    wait_for_store();
  }
}

void Task::wait_for_store() {
  const milliseconds delay = context_.retry_budget.next_delay();
  waits_ = true;
  milliseconds slept{0};
  do {
    context_.deps.clock.sleep_for(kNap);
    slept += kNap;
  } while (slept < delay && !stopped());
  waits_ = false;
}

Result<render::RenderJob> Task::order() { return job_for_keys(leased_, context_.inputs); }

}  // namespace pytoon::worker
