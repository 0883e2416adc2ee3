// Getting the footage of one segment from one engine, of which this task holds a slot: minutes,
// when a model thinks. When it gives nothing the task is handed on to whoever has a slot of the
// next one. It holds no place among the threads that draw, and no memory of the device.
#include <algorithm>

#include "server/jobs/task_rules.h"
#include "server/worker/segment_footage.h"
#include "server/worker/task.h"

namespace pytoon::worker {

Status Task::decide_footage() {
  const Parts& parts = desk_.parts;
  jobs::Segment segment = claim_.segments.at(static_cast<std::size_t>(claim_.lease.segment));
  const Result<render::Inputs> inputs = desk_.inputs.inputs_of(claim_.job);
  if (!inputs) return inputs.failure();
  const std::string key = "footage/" + claim_.job.id + "/" + std::to_string(segment.index) + "." +
                          std::to_string(claim_.lease.epoch) + ".mp4";
  const FootageSources sources{parts.ladder, parts.presets, parts.storage};
  const engines::ChainPosition from{segment.engine_next, segment.engine_failures};
  Result<FootageStep> step = choose_segment_footage(claim_.job, segment.index, *inputs, sources,
                                                    key, watch_of(segment), from, claim_.engine);
  silent_until_ = SteadyTime{};
  if (!step) return step.failure();
  if (const auto* const next = std::get_if<engines::ChainPosition>(&*step)) {
    segment.engine_next = next->engine;
    segment.engine_failures = next->failures;
    return commit([&] { return parts.tasks.footage_passed(claim_.lease, segment); });
  }
  const ChosenFootage* const chosen = &std::get<ChosenFootage>(*step);
  segment.engine_next.clear();
  segment.engine_failures.clear();
  if (chosen->fallback) {
    if (Status noted = note_fallback(chosen->engine, chosen->reason); !noted) return noted;
  }
  segment.footage = chosen->footage.kind;
  segment.engine_used = chosen->engine;
  if (chosen->footage.clip) {
    segment.footage_key = key;
    segment.footage_sha256 = chosen->footage.clip->sha256;
  }
  return commit([&] { return parts.tasks.footage_decided(claim_.lease, segment); });
}

// What the engine sees of the job: its end, and a place to put progress.
engines::Watch Task::watch_of(const jobs::Segment& segment) {
  engines::Watch watch;
  watch.cancel = cancel_;
  watch.deadline = engines_until_;
  // Who says nothing for longer than an engine is given at most hangs.
  const SteadyTime limit = desk_.parts.clock.steady_now() + desk_.parts.ladder.call_limit();
  silent_until_ = std::min(engines_until_, limit);
  watch.progress = [this, segment](double share) {
    frames_ = jobs::frames_of_footage(segment, share);
  };
  watch.discarded = [this] {
    const Result<jobs::Job> now = desk_.parts.jobs.job(claim_.job.id);
    if (!now) return now.failure().kind == FailureKind::kNotFound;
    return jobs::is_terminal(now->status) || now->run != claim_.job.run;
  };
  return watch;
}

}  // namespace pytoon::worker
