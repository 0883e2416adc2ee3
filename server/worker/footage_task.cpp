// Getting the footage of one segment from one engine, of which this task holds a slot: minutes,
// when a model thinks. When it gives nothing the task is handed on to whoever has a slot of the
// next one. It holds no place among the threads that draw, and no memory of the device.
#include <algorithm>

#include "server/jobs/task_rules.h"
#include "server/worker/job_inputs.h"
#include "server/worker/segment_footage.h"
#include "server/worker/task.h"

namespace pytoon::worker {

Status Task::decide_footage() {
  const WorkerDependencies& deps = context_.deps;
  jobs::Segment segment = leased_.segments.at(static_cast<std::size_t>(leased_.lease.segment));
  const Result<render::Inputs> inputs = footage_inputs(leased_.job, segment.index, context_.inputs);
  if (!inputs) return inputs.failure();
  const std::string key = "footage/" + leased_.job.id + "/" + std::to_string(segment.index) + "." +
                          std::to_string(leased_.lease.epoch) + ".mp4";
  const FootageSources sources{deps.engine_chain, deps.presets, deps.storage, deps.decoder};
  const engines::ChainPosition from{segment.engine_next, segment.engine_failures};
  Result<engines::ChainStep> step =
      choose_segment_footage(leased_.job, segment.index, *inputs, sources, key, watch_of(segment),
                             from, leased_.engine, leased_.job.attempts > 0);
  silent_until_ = SteadyTime{};
  if (!step) return step.failure();
  if (const auto* const next = std::get_if<engines::ChainPosition>(&*step)) {
    segment.engine_next = next->engine;
    segment.engine_failures = next->failures;
    return commit([&] { return deps.tasks.footage_passed(leased_.lease, segment); });
  }
  const engines::ChainResult* const chosen = &std::get<engines::ChainResult>(*step);
  segment.engine_next.clear();
  segment.engine_failures = chosen->fallback ? chosen->reason : "";
  if (chosen->fallback) {
    if (Status noted = note_fallback(chosen->engine, chosen->reason); !noted) return noted;
  }
  segment.footage = chosen->footage.kind;
  segment.engine_used = chosen->engine;
  if (chosen->footage.clip) {
    segment.footage_key = key;
    segment.footage_sha256 = chosen->footage.clip->sha256;
  }
  return commit([&] { return deps.tasks.footage_decided(leased_.lease, segment); });
}

// What the engine sees of the job: its end, and a place to put progress.
engines::Watch Task::watch_of(const jobs::Segment& segment) {
  engines::Watch watch;
  watch.cancel = cancel_;
  watch.traceparent = to_traceparent(jobs::trace_of(leased_.job));
  watch.deadline = engines_until_;
  // Who says nothing for longer than an engine is given at most hangs.
  const SteadyTime limit =
      context_.deps.clock.steady_now() + context_.deps.engine_chain.call_limit();
  silent_until_ = std::min(engines_until_, limit);
  // Its turn on a card may come late: that is no standing still.
  watch.waiting = [this](const std::string& why) {
    silent_until_ = std::min(
        engines_until_, context_.deps.clock.steady_now() + context_.deps.engine_chain.call_limit());
    tell_waiting(why);
  };
  watch.progress = [this, segment](double share) {
    frames_ = jobs::frames_of_footage(segment, share, leased_.job.spec.output.fps);
  };
  watch.discarded = [this] {
    const Result<jobs::Job> now = context_.deps.jobs.job(leased_.job.id);
    if (!now) return now.failure().kind == FailureKind::kNotFound;
    return jobs::is_over(*now, leased_.job.run);
  };
  return watch;
}

}  // namespace pytoon::worker
