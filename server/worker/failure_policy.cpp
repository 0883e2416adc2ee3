// How the troubles of a task end.
#include <nlohmann/json.hpp>

#include "engines/template_engine.h"
#include "server/worker/job_encoder.h"
#include "server/worker/job_inputs.h"
#include "server/worker/task.h"

namespace pytoon::worker {
using jobs::ReleaseReason;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

constexpr int kFailuresMax = 2;  // of one task; then something else is tried

}  // namespace

void Task::on_failure(const Failure& failure) {
  const FailureTraits& kind = traits(failure.kind);
  if (!kind.process_usable) context_.deps.process.mark_unusable(failure.detail);
  switch (stop_.load()) {
    case Stop::kLost:
      return;
    case Stop::kLeaving:
      return give_back(ReleaseReason::kHandedBack, milliseconds(0));
    case Stop::kHung:
    case Stop::kNone:
      break;
  }
  if (failure.kind == FailureKind::kConflict) {
    const auto lost = context_.deps.tasks.lost({leased_.lease});
    if (!lost) return;
    if (!lost->empty()) {
      // Somebody else's; or what we wanted to write is written, and only the answer was lost.
      if (!answer_lost_ && !stopped()) tell_lease_lost();
      return;
    }
  }
  // The next process that leases it does it; this one leases no more.
  if (!kind.process_usable) return give_back(ReleaseReason::kHandedBack, milliseconds(0));
  if (change_encoder(failure)) return;
  if (kind.transient() || (kind.may_pass() && context_.retry_budget.allow())) {
    return wait_for_machine(failure);
  }
  context_.deps.log.warning("task_failed", about({{"task", name_of(leased_.lease.kind)},
                                                  {"failures", leased_.failures + 1},
                                                  {"reason", failure.detail}}));
  if (is_lost(failure) && inputs_lost()) return;
  // All is drawn, and no card would help: standing still is the machine's fault, and is counted as
  // its deaths are.
  if (stop_ == Stop::kHung && leased_.lease.kind == TaskKind::kFinish) {
    return give_back(ReleaseReason::kCrashed, context_.options.back_off);
  }
  if (leased_.failures + 1 < kFailuresMax) {
    return give_back(ReleaseReason::kFailed, context_.options.back_off);
  }
  if (leased_.lease.kind == TaskKind::kRender) return on_segment_failure(failure);
  if (leased_.lease.kind == TaskKind::kAudio) return leave_out_audio(failure);
  fail_job(std::string(traits(failure.kind).label), failure.detail);
}

void Task::wait_for_machine(const Failure& failure) {
  context_.deps.log.warning("task_retry_scheduled", about({{"reason", failure.detail}}));
  give_back(ReleaseReason::kHandedBack, context_.retry_budget.next_delay());
}

// Where there is nothing left to fall to.
void Task::wait_or_fail(const Failure& failure) {
  if (traits(failure.kind).may_pass()) return wait_for_machine(failure);
  fail_job(std::string(traits(failure.kind).label), failure.detail);
}

// Once and for all segments, also those that are finished: two encoders can't share a track.
bool Task::change_encoder(const Failure& failure) {
  if (leased_.lease.kind != TaskKind::kRender) return false;
  const std::optional<EncoderDecision> decision =
      decide_after(failure, context_.deps.renderer.encoders(), leased_.job.encoder);
  if (!decision) return false;
  jobs::Replan restart;
  restart.encoder = decision->encoder;
  restart.degraded = decision->degraded();
  for (jobs::Segment segment : leased_.segments) {
    segment.status = jobs::SegmentStatus::kPending;
    restart.segments.push_back(segment);
  }
  if (failure.kind == FailureKind::kOutOfMemory) {
    if (!note_fallback("cpu_compositor", decision->reason)) return true;
  }
  const Status done = commit([&] { return context_.deps.tasks.restart(leased_.lease, restart); });
  if (done) tell_degraded(decision->from, decision->encoder, decision->reason);
  return true;
}

void Task::tell_degraded(const std::string& from, const std::string& to,
                         const std::string& reason) {
  context_.deps.metrics.degraded(from, to);
  context_.deps.log.warning("encoder_degraded",
                            about_job({{"from", from}, {"to", to}, {"reason", reason}}));
}

void Task::fail_job(const std::string& reason, const std::string& detail) {
  const Status failed = commit([&] { return context_.deps.tasks.failed(leased_.lease, detail); });
  if (!failed) return;  // somebody else decides by now
  context_.deps.metrics.job_failed(leased_.job.spec.archetype, reason);
  context_.deps.log.error("job_failed", about_job({{"reason", reason}, {"error", detail}}));
  tell_job_span(detail);
}

// A file that the job names is gone for good: no engine of the engine chain can help.
bool Task::inputs_lost() {
  context_.inputs.forget();
  const Result<render::RenderJob> inputs = whole_job(leased_, context_.inputs);
  if (inputs || inputs.failure().kind != FailureKind::kNotFound) return false;
  fail_job("lost-input", inputs.failure().detail);
  return true;
}

void Task::on_segment_failure(const Failure& failure) {
  const jobs::Segment& segment =
      leased_.segments.at(static_cast<std::size_t>(leased_.lease.segment));
  if (segment.footage != plan::SourceKind::kCard) return fall_to_card(failure);
  fail_job("template",
           "segment " + std::to_string(segment.index) + " can't be drawn: " + failure.detail);
}

// The segment becomes a card; whichever peers fade from it or into it are made anew.
void Task::fall_to_card(const Failure& failure) {
  const auto index = static_cast<std::size_t>(leased_.lease.segment);
  Result<render::RenderJob> with_card = order();
  if (!with_card) return wait_or_fail(with_card.failure());
  with_card->footage[index] = plan::SegmentSource(plan::SourceKind::kCard);
  const auto keys = context_.deps.renderer.content_keys(*with_card);
  if (!keys) return fail_job(std::string(traits(keys.failure().kind).label), keys.failure().detail);

  const Result<std::vector<jobs::Segment>> now = context_.deps.jobs.segments(leased_.job.id);
  if (!now) return wait_or_fail(now.failure());
  jobs::Replan restart;
  restart.encoder = leased_.job.encoder;
  for (jobs::Segment segment : *now) {
    const auto i = static_cast<std::size_t>(segment.index);
    const bool stays =
        segment.status == jobs::SegmentStatus::kDone && segment.content_key == keys->at(i);
    if (stays && i != index) continue;
    if (segment.status != jobs::SegmentStatus::kDone && i != index) continue;
    segment.status = jobs::SegmentStatus::kPending;
    if (i == index) {
      segment.footage = plan::SourceKind::kCard;
      segment.engine_used = engines::kTemplate;
      segment.error = failure.detail;
    }
    restart.segments.push_back(segment);
  }
  const std::string reason =
      "segment " + std::to_string(leased_.lease.segment) + ": " + failure.detail;
  const Status noted = note_fallback(std::string(engines::kTemplate), reason);
  if (!noted) return;
  (void)commit([&] { return context_.deps.tasks.restart(leased_.lease, restart); });
}

void Task::leave_out_audio(const Failure& failure) {
  const Status noted = note_fallback("silent", "the audio can't be made: " + failure.detail);
  if (!noted) return;
  (void)commit([&] { return context_.deps.tasks.audio_made(leased_.lease, "", "", ""); });
}

Status Task::note_fallback(const std::string& engine, const std::string& reason) {
  Status noted = persist([&] { return context_.deps.tasks.note_fallback(leased_.lease, reason); });
  if (!noted) return noted;
  context_.deps.log.warning("engine_fallback_used",
                            about({{"engine", engine}, {"reason", reason}}));
  context_.deps.metrics.fallback_used(engine);
  return noted;
}

}  // namespace pytoon::worker
