// The steps of a job that are done once, in the order of the story.
#include <algorithm>

#include "base/files.h"
#include "engines/template_engine.h"
#include "server/worker/job_inputs.h"
#include "server/worker/job_run.h"
#include "server/worker/segment_footage.h"

namespace pytoon::worker {
namespace fs = std::filesystem;
using jobs::JobStatus;

Status JobRun::perform(const Unit& unit) {
  switch (unit.stage) {
    case Stage::kPlan:
      return plan();
    case Stage::kInputs:
      return fetch();
    case Stage::kFootage:
      return choose_footage();
    case Stage::kKeys:
      return make_keys();
    case Stage::kSegments:
      return render(unit);
    case Stage::kAssemble:
      return assemble();
    case Stage::kThumbnail:
      return make_thumbnail();
    case Stage::kMetadata:
      return write_metadata();
    case Stage::kFinish:
      return finish();
  }
  CHECK(false, "a stage has no step");
}

// Statuses only move forward: a job that is taken up again keeps the one it had.
Status JobRun::advance(JobStatus to) {
  if (job_.status >= to) return ok_status();
  if (Status moved = parts_.store.move(lease_, {to, ""}); !moved) return moved;
  job_.status = to;
  return ok_status();
}

Status JobRun::plan() {
  using Seconds = std::chrono::duration<double>;
  timings_.waited = Seconds(parts_.clock.now() - job_.created_at).count();
  parts_.log.info("job_dequeued", {{"job_id", job_.id},
                                   {"status", name_of(job_.status)},
                                   {"epoch", lease_.epoch},
                                   {"attempts", job_.attempts}});
  if (job_.crashes >= jobs::kCrashesBeforeFailure) {
    return failure(FailureKind::kInternal, "the job crashed its worker " +
                                               std::to_string(job_.crashes) +
                                               " times, even as a plain card");
  }
  if (slots_.size() != job_.spec.segments.size()) {
    return failure(FailureKind::kInternal, "the job's rows and its spec disagree");
  }
  return advance(JobStatus::kPlanning);
}

Status JobRun::fetch() {
  const SteadyTime began = parts_.clock.steady_now();
  Result<render::Inputs> inputs =
      fetch_inputs(job_, parts_.store, parts_.storage, options_.last_logo);
  if (!inputs) return inputs.failure();
  inputs_ = std::move(inputs).value();
  timings_.inputs = seconds_since(began);
  begin_sound();
  return ok_status();
}

void JobRun::begin_sound() {
  if (!inputs_.has_sound()) return;
  sound_ = std::make_unique<SoundTask>(parts_.renderer, parts_.clock,
                                       render::RenderJob{job_.spec, inputs_, {}},
                                       parts_.storage.staging("sound.mp4"), cancel_);
  sound_->begin();
}

// Waits for the sound. What another try may mend is the step's failure; a sound that can't be made
// leaves the job a video without one, and the job says so.
Status JobRun::finish_sound() {
  if (!sound_ || sound_given_up_ || !sound_facts_.is_null()) return ok_status();
  const Result<SoundTask::Made> made = sound_->wait();
  if (made) {
    timings_.sound = made->seconds;
    sound_facts_ = sound_json(made->measures);
    parts_.log.info("sound_ready",
                    {{"job_id", job_.id}, {"seconds", made->seconds}, {"sound", sound_facts_}});
    return ok_status();
  }
  const FailureKind kind = made.failure().kind;
  const bool lost = kind == FailureKind::kCancelled || kind == FailureKind::kNotFound;
  if (lost || traits(kind).retryable) {
    sound_->begin();
    return made.failure();
  }
  const std::string reason = "the sound can't be made: " + made.failure().detail;
  if (Status noted = note_fallback("silent", reason, std::nullopt); !noted) return noted;
  sound_given_up_ = true;
  return ok_status();
}

Status JobRun::choose_footage() {
  const std::string card(engines::kTemplate);
  const bool crashed = job_.crashes >= jobs::kCrashesBeforeCard;
  if (crashed) {
    if (Status noted = note_fallback(card, "crashed", std::nullopt); !noted) return noted;
  }
  const FootageSources sources{parts_.ladder, parts_.presets, parts_.storage};
  std::string last_reason;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    jobs::Segment row = slots_[i].row;
    // What fell to the card in this run stays there.
    ChosenFootage served{render::Footage::kCard, card, false, ""};
    if (!crashed && row.engine_used != card) {
      Result<ChosenFootage> chosen = choose_segment_footage(job_, row, inputs_, sources, cancel_);
      if (!chosen) return chosen.failure();
      served = std::move(*chosen);
    }
    if (served.fallback && served.reason != last_reason) {
      if (Status noted = note_fallback(served.engine, served.reason, i); !noted) return noted;
      last_reason = served.reason;
    }
    const bool made = served.footage.kind == render::Footage::kClip;
    if (served.fallback || made) {
      row.engine_used = served.engine;
      if (Status kept = keep_row(i, row); !kept) return kept;
    }
    const std::lock_guard lock(mutex_);
    slots_[i].engine = served.engine;
    slots_[i].frame_count = parts_.renderer.frame_count(job_.spec, static_cast<int>(i));
    footage_[i] = served.footage;
  }
  return ok_status();
}

// Once a lease. A job that leaves the encoder it was begun with says so in its first segment's row,
// so that the next lease knows; one that begins without the encoder it could expect is told once.
Status JobRun::choose_encoder() {
  render::RenderJob job;
  job.spec = job_.spec;
  job.inputs = inputs_;
  {
    const std::lock_guard lock(mutex_);
    if (!encoder_.encoder.empty()) return ok_status();
    job.footage = footage_;
  }
  std::vector<jobs::Segment> kept = rows();
  const Result<EncoderDecision> decided = decide_encoder(parts_.renderer, std::move(job), kept);
  if (!decided) return decided.failure();
  if (decided->switched) {
    kept[0].error = decided->degraded();
    if (Status noted = keep_row(0, kept[0]); !noted) return noted;
  }
  const bool begun = std::any_of(kept.begin(), kept.end(), [&](const jobs::Segment& row) {
    return row.status == jobs::SegmentStatus::kDone || row.error == decided->degraded();
  });
  if (decided->switched || (!decided->from.empty() && !begun)) tell_degraded(*decided);
  const std::lock_guard lock(mutex_);
  encoder_ = *decided;
  return ok_status();
}

// Which segments are to be rendered: all whose key is not that of a finished, intact object.
Status JobRun::make_keys() {
  if (Status chosen = choose_encoder(); !chosen) return chosen;
  auto made = std::make_shared<render::RenderJob>();
  made->spec = job_.spec;
  made->inputs = inputs_;
  {
    const std::lock_guard lock(mutex_);
    made->footage = footage_;
    made->encoder = encoder_.encoder;
  }
  const Result<std::vector<std::string>> keys = parts_.renderer.content_keys(*made);
  if (!keys) return keys.failure();
  const std::vector<jobs::Segment> kept = rows();
  std::vector<bool> finished(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    finished[i] = kept[i].content_key == keys->at(i) && intact(kept[i]);
  }
  if (Status moved = advance(JobStatus::kRenderingSegments); !moved) return moved;
  const std::lock_guard lock(mutex_);
  render_job_ = std::move(made);
  if (segments_began_ == SteadyTime{}) segments_began_ = parts_.clock.steady_now();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.key = keys->at(i);
    if (slot.state == Slot::State::kRunning) continue;  // compared when it ends
    const bool kept_meanwhile = slot.row.artifact_key != kept[i].artifact_key;
    const bool done = kept_meanwhile ? slot.row.content_key == slot.key : finished[i];
    slot.state = done ? Slot::State::kDone : Slot::State::kPending;
    slot.frames = done ? slot.frame_count : 0;
  }
  return ok_status();
}

Status JobRun::publish(const fs::path& staged, const std::string& file) {
  Status put = parts_.storage.put(staged, jobs::job_file_key(job_.id, file));
  std::error_code ignored;
  if (!put) fs::remove(staged, ignored);
  return put;
}

Status JobRun::assemble() {
  const SteadyTime began = parts_.clock.steady_now();
  timings_.segments = seconds_since(segments_began_);
  if (Status moved = advance(JobStatus::kAssembling); !moved) return moved;
  if (Status sounds = finish_sound(); !sounds) return sounds;
  std::vector<fs::path> files;
  for (const jobs::Segment& row : rows()) {
    Result<fs::path> file = parts_.storage.local(row.artifact_key);
    if (!file) return file.failure();
    files.push_back(std::move(file).value());
  }
  const fs::path staged = parts_.storage.staging("output.mp4");
  const auto sound = sound_facts_.is_null() ? std::nullopt : std::optional(sound_->file());
  Status done = parts_.renderer.assemble(*render_job_, files, sound, staged, cancel_);
  if (done) done = publish(staged, "output.mp4");
  if (!done) return done;
  timings_.assembly = seconds_since(began);
  parts_.log.info("assembly_complete", {{"job_id", job_.id}, {"seconds", timings_.assembly}});
  return ok_status();
}

Status JobRun::make_thumbnail() {
  const Result<fs::path> video = parts_.storage.local(jobs::job_file_key(job_.id, "output.mp4"));
  if (!video) return video.failure();
  const fs::path staged = parts_.storage.staging("thumbnail.jpg");
  const Status drawn = parts_.renderer.thumbnail(*video, staged);
  return drawn ? publish(staged, "thumbnail.jpg") : drawn;
}

Status JobRun::write_metadata() {
  const std::vector<jobs::Segment> kept = rows();
  for (const jobs::Segment& row : kept) {
    const std::string link = jobs::segment_link_key(job_.id, row.index);
    if (Status linked = parts_.storage.link(row.artifact_key, link); !linked) return linked;
  }
  const nlohmann::ordered_json metadata =
      job_metadata(job_, kept, timings_, parts_.clock.now(), encoder_.degraded(),
                   parts_.renderer.facts(*render_job_), sound_facts_);
  const fs::path staged = parts_.storage.staging("metadata.json");
  const Status written = write_file_atomically(staged, metadata.dump(2) + "\n");
  return written ? publish(staged, "metadata.json") : written;
}

Status JobRun::finish() {
  if (Status moved = move_to_end({JobStatus::kDone, ""}); !moved) return moved;
  if (const Status removed = remove_footage(job_, parts_.storage); !removed) {
    parts_.log.warning("footage_untidy",
                       {{"job_id", job_.id}, {"reason", removed.failure().detail}});
  }
  const std::chrono::duration<double> total = parts_.clock.now() - job_.created_at;
  parts_.metrics.job_done(job_.spec.archetype, total.count());
  parts_.log.info(
      "job_done",
      {{"job_id", job_.id}, {"seconds", total.count()}, {"fallback_used", job_.fallback_used}});
  return ok_status();
}

}  // namespace pytoon::worker
