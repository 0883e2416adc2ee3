// What a job does for each segment: render, keep, try again, fall to the card.
#include "base/files.h"
#include "base/hash.h"
#include "engines/template_engine.h"
#include "server/worker/job_inputs.h"
#include "server/worker/job_run.h"

namespace pytoon::worker {
namespace fs = std::filesystem;
using jobs::SegmentStatus;

namespace {

constexpr int kFailuresMax = 2;  // of one segment with the same footage

}  // namespace

bool JobRun::intact(const jobs::Segment& row) {
  if (row.status != SegmentStatus::kDone) return false;
  const Result<fs::path> file = parts_.storage.local(row.artifact_key);
  if (!file) return false;
  const Result<std::string> sha256 = sha256_file(*file);
  return sha256 && *sha256 == row.artifact_sha256;
}

Status JobRun::keep_row(std::size_t index, const jobs::Segment& row) {
  if (Status put = parts_.store.put_segment(lease_, row); !put) return put;
  const std::lock_guard lock(mutex_);
  slots_[index].row = row;
  return ok_status();
}

Status JobRun::render(const Unit& unit) {
  Slot& slot = slots_[unit.segment];
  jobs::Segment row = rows()[unit.segment];
  // A finished one that is drawn anew stays DONE with its old object until the new one is there.
  if (row.status != SegmentStatus::kDone && row.status != SegmentStatus::kRunning) {
    row.status = SegmentStatus::kRunning;
    if (Status put = keep_row(unit.segment, row); !put) return put;
  }
  const fs::path staged = parts_.storage.staging("segment.mp4");
  const SteadyTime began = parts_.clock.steady_now();
  Status done = parts_.renderer.render_segment(*unit.job, static_cast<int>(unit.segment), staged,
                                               cancel_, [&slot](int f) { slot.frames = f; });
  if (done) done = keep(unit, staged, seconds_since(began));
  std::error_code ignored;
  fs::remove(staged, ignored);
  return done;
}

// The object first, then the row that names it the winner, then what people look at.
Status JobRun::keep(const Unit& unit, const fs::path& staged, double seconds) {
  const Result<std::string> sha256 = sha256_file(staged);
  if (!sha256) return sha256.failure();
  jobs::Segment row = rows()[unit.segment];
  const std::string loser = row.artifact_key;
  const bool card = unit.job->footage[unit.segment].kind == render::Footage::kCard;
  row.status = SegmentStatus::kDone;
  row.engine_used = card ? std::string(engines::kTemplate) : slots_[unit.segment].engine;
  row.content_key = unit.key;
  row.artifact_key = "segments/" + unit.key + "." + std::to_string(lease_.epoch) + ".mp4";
  row.artifact_sha256 = *sha256;
  if (Status put = parts_.storage.put(staged, row.artifact_key); !put) return put;
  if (Status kept = keep_row(unit.segment, row); !kept) {
    // Nobody else names an object after our epoch.
    if (kept.failure().kind != FailureKind::kConflict) return kept;
    const Status removed = parts_.storage.remove(row.artifact_key);
    return removed ? kept : removed;
  }
  parts_.log.info("segment_rendered", {{"job_id", job_.id},
                                       {"segment_id", row.index},
                                       {"engine", row.engine_used},
                                       {"seconds", seconds}});
  parts_.metrics.segment_rendered(row.engine_used, seconds);
  // The row is what counts. A link that can't be made now is made again at the end.
  const Status linked =
      parts_.storage.link(row.artifact_key, jobs::segment_link_key(job_.id, row.index));
  const bool lost = !loser.empty() && loser != row.artifact_key;
  const Status removed = lost ? parts_.storage.remove(loser) : ok_status();
  for (const Status* trouble : {&linked, &removed}) {
    if (*trouble) continue;
    parts_.log.warning(
        "segment_untidy",
        {{"job_id", job_.id}, {"segment_id", row.index}, {"reason", trouble->failure().detail}});
  }
  return ok_status();
}

JobRun::Outcome JobRun::segment_failed(const Unit& unit, const Failure& failure) {
  const bool input_broken =
      failure.kind == FailureKind::kNotFound || failure.kind == FailureKind::kMalformed;
  if (input_broken) {
    const auto inputs = fetch_inputs(job_, parts_.store, parts_.storage, options_.last_logo);
    if (!inputs && inputs.failure().kind == FailureKind::kNotFound) {
      return fail_job("lost-input", inputs.failure().detail);
    }
  }
  int failures = 0;
  {
    const std::lock_guard lock(mutex_);
    failures = ++slots_[unit.segment].failures;
  }
  parts_.log.warning("segment_failed", {{"job_id", job_.id},
                                        {"segment_id", unit.segment},
                                        {"failures", failures},
                                        {"reason", failure.detail}});
  if (failures < kFailuresMax) return Outcome::kAgain;
  return fall_to_card(unit, failure);
}

JobRun::Outcome JobRun::fall_to_card(const Unit& unit, const Failure& failure) {
  const auto number = std::to_string(unit.segment);
  jobs::Segment row = rows()[unit.segment];
  row.error = failure.detail;
  const bool was_card = unit.job->footage[unit.segment].kind == render::Footage::kCard;
  if (was_card) {
    row.status = SegmentStatus::kFailed;
  } else {
    row.engine_used = engines::kTemplate;
  }
  if (const Status kept = keep_row(unit.segment, row); !kept) return judge_store(kept.failure());
  if (was_card) {
    return fail_job("template", "segment " + number + " can't be drawn: " + failure.detail);
  }
  const std::string reason = "segment " + number + ": " + failure.detail;
  const Status noted = note_fallback(row.engine_used, reason, unit.segment);
  if (!noted) return judge_store(noted.failure());
  const std::lock_guard lock(mutex_);
  footage_[unit.segment] = render::Footage::kCard;
  slots_[unit.segment].engine = row.engine_used;
  slots_[unit.segment].failures = 0;
  return Outcome::kKeysChanged;
}

// The first thread that comes here decides for all; what others made meanwhile is made anew.
JobRun::Outcome JobRun::change_encoder(const Unit& unit, const EncoderDecision& decision) {
  {
    const std::lock_guard lock(mutex_);
    if (encoder_.encoder != unit.job->encoder) return Outcome::kAgain;
    encoder_ = decision;
  }
  jobs::Segment row = rows()[unit.segment];
  row.error = decision.degraded();
  if (const Status kept = keep_row(unit.segment, row); !kept) {
    const std::lock_guard lock(mutex_);
    encoder_ = {unit.job->encoder, "", "", false};
    return judge_store(kept.failure());
  }
  tell_degraded(decision);
  return Outcome::kKeysChanged;
}

void JobRun::tell_degraded(const EncoderDecision& decision) {
  parts_.log.warning("encoder_degraded", {{"job_id", job_.id},
                                          {"from", decision.from},
                                          {"to", decision.encoder},
                                          {"reason", decision.reason}});
  parts_.metrics.degraded(decision.from, decision.encoder);
}

Status JobRun::note_fallback(const std::string& engine, const std::string& reason,
                             std::optional<std::size_t> segment) {
  if (Status noted = parts_.store.note_fallback(lease_, reason); !noted) return noted;
  {
    const std::lock_guard lock(mutex_);
    if (!job_.fallback_used) job_.fallback_reason = reason;
    job_.fallback_used = true;
  }
  nlohmann::ordered_json fields{{"job_id", job_.id}, {"engine", engine}, {"reason", reason}};
  if (segment) fields["segment_id"] = *segment;
  parts_.log.warning("engine_fallback_used", fields);
  parts_.metrics.fallback_used(engine);
  return ok_status();
}

}  // namespace pytoon::worker
