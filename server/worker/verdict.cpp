// How the troubles of a task end.
#include "engines/template_engine.h"
#include "server/worker/job_encoder.h"
#include "server/worker/job_inputs.h"
#include "server/worker/task.h"

namespace pytoon::worker {
using jobs::Ending;
using jobs::Work;
using std::chrono::milliseconds;

namespace {

constexpr int kFailuresMax = 2;  // of one task; then something else is tried

}  // namespace

void Task::judge(const Failure& failure) {
  switch (stop_.load()) {
    case Stop::kLost:
      return;
    case Stop::kLeaving:
      return give_back(Ending::kHandedBack, milliseconds(0));
    case Stop::kHung:
    case Stop::kNone:
      break;
  }
  if (failure.kind == FailureKind::kConflict) {
    const auto lost = desk_.parts.tasks.lost({claim_.lease});
    if (!lost || !lost->empty()) return;  // somebody else's, or what we wanted to write is written
  }
  if (change_encoder(failure)) return;
  const bool refused =
      failure.kind == FailureKind::kIo || failure.kind == FailureKind::kOutOfMemory;
  if (machine_away(failure) || (refused && desk_.patience.endure())) {
    return wait_for_machine(failure);
  }
  nlohmann::ordered_json fields = about();
  fields["work"] = name_of(claim_.lease.work);
  fields["failures"] = claim_.failures + 1;
  fields["reason"] = failure.detail;
  desk_.parts.log.warning("task_failed", fields);
  const bool of_an_input =
      failure.kind == FailureKind::kNotFound || failure.kind == FailureKind::kMalformed;
  if (of_an_input && inputs_lost()) return;
  if (claim_.failures + 1 < kFailuresMax) {
    return give_back(Ending::kFailed, desk_.options.back_off);
  }
  if (claim_.lease.work == Work::kRender) return judge_segment(failure);
  if (claim_.lease.work == Work::kSound) return leave_out_sound(failure);
  fail_job(std::string(traits(failure.kind).label), failure.detail);
}

void Task::wait_for_machine(const Failure& failure) {
  nlohmann::ordered_json fields = about();
  fields["reason"] = failure.detail;
  desk_.parts.log.warning("job_waits", fields);
  give_back(Ending::kHandedBack, desk_.patience.next_delay());
}

// Once and for all segments, also those that are finished: two encoders can't share a track.
bool Task::change_encoder(const Failure& failure) {
  if (claim_.lease.work != Work::kRender) return false;
  const std::optional<EncoderDecision> decision =
      decide_after(failure, desk_.parts.renderer.encoders(), claim_.job.encoder);
  if (!decision) return false;
  jobs::Restart restart;
  restart.encoder = decision->encoder;
  restart.degraded = decision->degraded();
  for (jobs::Segment segment : claim_.segments) {
    segment.status = jobs::SegmentStatus::kPending;
    restart.segments.push_back(segment);
  }
  const Status done = commit([&] { return desk_.parts.tasks.restart(claim_.lease, restart); });
  if (done) tell_degraded(decision->from, decision->encoder, decision->reason);
  return true;
}

void Task::tell_degraded(const std::string& from, const std::string& to,
                         const std::string& reason) {
  desk_.parts.metrics.degraded(from, to);
  desk_.parts.log.warning(
      "encoder_degraded",
      {{"job_id", claim_.job.id}, {"from", from}, {"to", to}, {"reason", reason}});
}

void Task::fail_job(const std::string& reason, const std::string& detail) {
  const Status failed = commit([&] { return desk_.parts.tasks.failed(claim_.lease, detail); });
  if (!failed) return;  // somebody else decides by now
  desk_.parts.metrics.job_failed(claim_.job.spec.archetype, reason);
  desk_.parts.log.error("job_failed",
                        {{"job_id", claim_.job.id}, {"reason", reason}, {"error", detail}});
}

// A file that the job names is gone for good: no rung of the ladder can help.
bool Task::inputs_lost() {
  desk_.inputs.forget();
  const Result<render::RenderJob> inputs = whole_job(claim_, desk_.inputs);
  if (inputs || inputs.failure().kind != FailureKind::kNotFound) return false;
  fail_job("lost-input", inputs.failure().detail);
  return true;
}

void Task::judge_segment(const Failure& failure) {
  const jobs::Segment& segment = claim_.segments.at(static_cast<std::size_t>(claim_.lease.segment));
  if (segment.footage != render::Footage::kCard) return fall_to_card(failure);
  fail_job("template",
           "segment " + std::to_string(segment.index) + " can't be drawn: " + failure.detail);
}

// The segment becomes a card; whichever neighbours fade from it or into it are made anew.
void Task::fall_to_card(const Failure& failure) {
  const auto index = static_cast<std::size_t>(claim_.lease.segment);
  Result<render::RenderJob> with_card = order();
  if (!with_card) return wait_for_machine(with_card.failure());
  with_card->footage[index] = render::SegmentFootage(render::Footage::kCard);
  const auto keys = desk_.parts.renderer.content_keys(*with_card);
  if (!keys) return fail_job(std::string(traits(keys.failure().kind).label), keys.failure().detail);

  const Result<std::vector<jobs::Segment>> now = desk_.parts.jobs.segments(claim_.job.id);
  if (!now) return wait_for_machine(now.failure());
  jobs::Restart restart;
  restart.encoder = claim_.job.encoder;
  for (jobs::Segment segment : *now) {
    const auto i = static_cast<std::size_t>(segment.index);
    const bool stays =
        segment.status == jobs::SegmentStatus::kDone && segment.content_key == keys->at(i);
    if (stays && i != index) continue;
    if (segment.status != jobs::SegmentStatus::kDone && i != index) continue;
    segment.status = jobs::SegmentStatus::kPending;
    if (i == index) {
      segment.footage = render::Footage::kCard;
      segment.engine_used = engines::kTemplate;
      segment.error = failure.detail;
    }
    restart.segments.push_back(segment);
  }
  const std::string reason =
      "segment " + std::to_string(claim_.lease.segment) + ": " + failure.detail;
  const Status noted = note_fallback(std::string(engines::kTemplate), reason);
  if (!noted) return;
  (void)commit([&] { return desk_.parts.tasks.restart(claim_.lease, restart); });
}

void Task::leave_out_sound(const Failure& failure) {
  const Status noted = note_fallback("silent", "the sound can't be made: " + failure.detail);
  if (!noted) return;
  (void)commit([&] { return desk_.parts.tasks.sound_made(claim_.lease, "", "", ""); });
}

Status Task::note_fallback(const std::string& engine, const std::string& reason) {
  Status noted = commit([&] { return desk_.parts.tasks.note_fallback(claim_.lease, reason); });
  if (!noted) return noted;
  nlohmann::ordered_json fields = about();
  fields["engine"] = engine;
  fields["reason"] = reason;
  desk_.parts.log.warning("engine_fallback_used", fields);
  desk_.parts.metrics.fallback_used(engine);
  return noted;
}

}  // namespace pytoon::worker
