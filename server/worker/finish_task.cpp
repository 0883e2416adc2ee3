// The last task: every segment is there. Join them, publish video, thumbnail and metadata, and say
// DONE. All of it can be done again from the start by somebody else, also at the same time: each
// writes objects of its own, and the row says whose are the job's.
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "server/worker/job_metadata.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

namespace {

constexpr const char* kVideo = jobs::kOutputFiles[0];
constexpr const char* kThumbnail = jobs::kOutputFiles[1];
constexpr const char* kMetadata = jobs::kOutputFiles[2];

}  // namespace

Status Task::finish() {
  const WorkerDependencies& deps = context_.deps;
  const jobs::Job& job = leased_.job;
  Result<render::RenderJob> order = this->order();
  if (!order) return order.failure();
  const Result<std::vector<std::string>> keys = deps.renderer.content_keys(*order);
  if (!keys) return keys.failure();
  std::vector<jobs::Segment> broken;
  for (const jobs::Segment& segment : leased_.segments) {
    const bool same = segment.content_key == keys->at(static_cast<std::size_t>(segment.index));
    const Result<bool> whole = same ? intact(segment, deps.storage) : Result<bool>(false);
    if (!whole) return whole.failure();
    if (!*whole) broken.push_back(segment);
  }
  const bool has_audio = !job.audio_key.empty();
  const Result<bool> audio = intact(job.audio_key, job.audio_sha256, deps.storage);
  if (!audio) return audio.failure();
  const bool audio_lost = has_audio && !*audio;
  if (!broken.empty() || audio_lost) return remake(broken, audio_lost);
  return publish_outputs(*order);
}

// All files lie under names that only this lease writes, then the row names them the winners. The
// links go first: whoever dies right after the commit leaves nothing undone.
Status Task::publish_outputs(const render::RenderJob& order) {
  const WorkerDependencies& deps = context_.deps;
  const std::string folder =
      jobs::output_folder_of(leased_.job.id, leased_.job.run, leased_.lease.epoch);
  const SteadyTime began = deps.clock.steady_now();
  Status made = publish_video(order, folder);
  if (!made) return made;
  const std::chrono::duration<double> took = deps.clock.steady_now() - began;
  deps.log.info("assembly_complete", about({{"seconds", took.count()}}));
  made = publish_thumbnail(folder);
  if (made) made = publish_metadata(order, folder, took.count());
  if (made) made = link_outputs(folder);
  if (!made) {
    withdraw(folder);
    return made;
  }
  made = commit([&] { return deps.tasks.finished(leased_.lease, folder); });
  if (!made && !has_won(folder, made.failure())) return made;
  remove_parts();
  const std::chrono::duration<double> total = deps.clock.now() - leased_.job.created_at;
  deps.metrics.job_done(leased_.job.spec.archetype, total.count());
  deps.log.info("job_done",
                about({{"seconds", total.count()}, {"fallback_used", leased_.job.fallback_used}}));
  tell_job_span("");
  return ok_status();
}

Status Task::remake(const std::vector<jobs::Segment>& broken, bool audio_lost) {
  jobs::Replan restart;
  restart.audio_lost = audio_lost;
  restart.encoder = leased_.job.encoder;
  std::string which;
  for (jobs::Segment segment : broken) {
    segment.status = jobs::SegmentStatus::kPending;
    restart.segments.push_back(segment);
    which += (which.empty() ? "" : ", ") + std::to_string(segment.index);
  }
  context_.deps.log.warning("segments_invalidated",
                            about({{"segments", which}, {"audio", audio_lost}}));
  return commit([&] { return context_.deps.tasks.restart(leased_.lease, restart); });
}

Status Task::publish(const fs::path& staged, const std::string& folder, const std::string& file) {
  Status put = failure(FailureKind::kCancelled, "stopped before " + file + " was published");
  if (!stopped()) put = context_.deps.storage.put(staged, folder + "/" + file);
  std::error_code ignored;
  if (!put) fs::remove(staged, ignored);
  return put;
}

Status Task::publish_video(const render::RenderJob& order, const std::string& folder) {
  std::vector<fs::path> files;
  for (const jobs::Segment& segment : leased_.segments) {
    Result<fs::path> file = context_.deps.storage.local(segment.artifact_key);
    if (!file) return file.failure();
    files.push_back(std::move(file).value());
  }
  std::optional<fs::path> audio;
  if (!leased_.job.audio_key.empty()) {
    Result<fs::path> file = context_.deps.storage.local(leased_.job.audio_key);
    if (!file) return file.failure();
    audio = std::move(file).value();
  }
  const fs::path staged = context_.deps.storage.staging(kVideo);
  Status made = context_.deps.renderer.assemble(order, files, audio, staged, cancel_);
  return made ? publish(staged, folder, kVideo) : made;
}

Status Task::publish_thumbnail(const std::string& folder) {
  const Result<fs::path> video = context_.deps.storage.local(folder + "/" + kVideo);
  if (!video) return video.failure();
  const fs::path staged = context_.deps.storage.staging(kThumbnail);
  Status drawn = context_.deps.renderer.thumbnail(*video, staged);
  return drawn ? publish(staged, folder, kThumbnail) : drawn;
}

Status Task::publish_metadata(const render::RenderJob& order, const std::string& folder,
                              double assembly_seconds) {
  const WorkerDependencies& deps = context_.deps;
  const nlohmann::ordered_json metadata =
      job_metadata(leased_.job, leased_.segments, assembly_seconds, deps.clock.now(),
                   deps.renderer.facts(order));
  const fs::path staged = deps.storage.staging(kMetadata);
  Status written = write_file_atomically(staged, json_text(metadata, 2) + "\n");
  return written ? publish(staged, folder, kMetadata) : written;
}

// What people look at. A finisher that overslept may still do this; mend_link() puts it right.
Status Task::link_outputs(const std::string& folder) {
  jobs::ObjectStore& storage = context_.deps.storage;
  if (stopped()) return failure(FailureKind::kCancelled, "stopped before the outputs were shown");
  for (const jobs::Segment& segment : leased_.segments) {
    const std::string link = jobs::segment_link_key(leased_.job.id, segment.index);
    if (Status linked = storage.link(segment.artifact_key, link); !linked) return linked;
  }
  for (const char* file : jobs::kOutputFiles) {
    const std::string link = jobs::job_file_key(leased_.job.id, file);
    if (Status linked = storage.link(folder + "/" + file, link); !linked) return linked;
  }
  return ok_status();
}

// Whether the row names our outputs all the same: a commit whose answer was lost is refused when it
// is repeated. Where it is not known how it went, the objects must stay.
bool Task::has_won(const std::string& folder, const Failure& refused) {
  if (refused.kind != FailureKind::kConflict) return false;
  const Result<jobs::Job> now = context_.deps.jobs.job(leased_.job.id);
  if (now && now->output_folder == folder) return true;
  if (now || now.failure().kind == FailureKind::kNotFound) withdraw(folder);
  return false;
}

// Takes our outputs away: nobody else names objects after our epoch.
void Task::withdraw(const std::string& folder) {
  const Result<jobs::Job> now = context_.deps.jobs.job(leased_.job.id);
  for (const char* file : jobs::kOutputFiles) {
    Status tidied = context_.deps.storage.remove(folder + "/" + file);
    if (tidied && now) tidied = mend_link(*now, file);
    if (!tidied) tell_not_removed(file, tidied.failure());
  }
}

// The link may be ours: it is the winner's, if there is one by now; a job that was cancelled or
// failed meanwhile shows none. Of a job that goes on, whoever finishes it makes the link anew.
Status Task::mend_link(const jobs::Job& now, const std::string& file) {
  const std::string link = jobs::job_file_key(now.id, file);
  if (now.status == jobs::JobStatus::kDone) {
    return context_.deps.storage.link(jobs::output_key(now, file), link);
  }
  return is_terminal(now.status) ? context_.deps.storage.remove(link) : ok_status();
}

// What only the making needed.
void Task::remove_parts() {
  std::vector<std::string> keys;
  if (!leased_.job.audio_key.empty()) keys.push_back(leased_.job.audio_key);
  for (const jobs::Segment& segment : leased_.segments) {
    if (!segment.footage_key.empty()) keys.push_back(segment.footage_key);
  }
  for (const std::string& key : keys) {
    const Status removed = context_.deps.storage.remove(key);
    if (!removed) tell_not_removed(key, removed.failure());
  }
}

void Task::tell_not_removed(const std::string& file, const Failure& failure) {
  context_.deps.log.warning("file_not_removed",
                            about_job({{"file", file}, {"reason", failure.detail}}));
}

}  // namespace pytoon::worker
