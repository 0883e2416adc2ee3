// The last task: every segment is there. Join them, publish video, thumbnail and metadata, and say
// DONE. All of it can be done again from the start by somebody else.
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "server/worker/job_metadata.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

Status Task::finish() {
  const WorkerDependencies& deps = context_.deps;
  Result<render::RenderJob> order = this->order();
  if (!order) return order.failure();
  const Result<std::vector<std::string>> keys = deps.renderer.content_keys(*order);
  if (!keys) return keys.failure();
  std::vector<jobs::Segment> broken;
  for (const jobs::Segment& segment : leased_.segments) {
    const bool same = segment.content_key == keys->at(static_cast<std::size_t>(segment.index));
    if (!same || !intact(segment, deps.storage)) broken.push_back(segment);
  }
  const jobs::Job& job = leased_.job;
  std::optional<fs::path> audio;
  bool audio_lost = false;
  if (!job.audio_key.empty()) {
    audio_lost = !intact(job.audio_key, job.audio_sha256, deps.storage);
    if (const auto path = deps.storage.local(job.audio_key)) audio = *path;
  }
  if (!broken.empty() || audio_lost) return remake(broken, audio_lost);

  const SteadyTime began = deps.clock.steady_now();
  if (Status made = publish_video(*order, audio); !made) return made;
  const std::chrono::duration<double> took = deps.clock.steady_now() - began;
  deps.log.info("assembly_complete", {{"job_id", leased_.job.id}, {"seconds", took.count()}});
  if (Status made = publish_thumbnail(); !made) return made;
  if (Status made = publish_metadata(*order, took.count()); !made) return made;
  Status done = commit([&] { return deps.tasks.finished(leased_.lease); });
  if (!done) {
    unpublish();
    return done;
  }
  remove_parts();
  const std::chrono::duration<double> total = deps.clock.now() - leased_.job.created_at;
  deps.metrics.job_done(leased_.job.spec.archetype, total.count());
  deps.log.info("job_done", {{"job_id", leased_.job.id},
                             {"seconds", total.count()},
                             {"fallback_used", leased_.job.fallback_used}});
  return done;
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
  context_.deps.log.warning(
      "segments_invalidated",
      {{"job_id", leased_.job.id}, {"segments", which}, {"audio", audio_lost}});
  return commit([&] { return context_.deps.tasks.restart(leased_.lease, restart); });
}

Status Task::publish(const fs::path& staged, const std::string& file) {
  Status put = failure(FailureKind::kCancelled, "stopped before " + file + " was published");
  if (!stopped()) {
    put = context_.deps.storage.put(staged, jobs::job_file_key(leased_.job.id, file));
  }
  std::error_code ignored;
  if (!put) fs::remove(staged, ignored);
  return put;
}

Status Task::publish_video(const render::RenderJob& order, const std::optional<fs::path>& audio) {
  std::vector<fs::path> files;
  for (const jobs::Segment& segment : leased_.segments) {
    Result<fs::path> file = context_.deps.storage.local(segment.artifact_key);
    if (!file) return file.failure();
    files.push_back(std::move(file).value());
  }
  const fs::path staged = context_.deps.storage.staging("output.mp4");
  Status made = context_.deps.renderer.assemble(order, files, audio, staged, cancel_);
  return made ? publish(staged, "output.mp4") : made;
}

Status Task::publish_thumbnail() {
  const Result<fs::path> video =
      context_.deps.storage.local(jobs::job_file_key(leased_.job.id, "output.mp4"));
  if (!video) return video.failure();
  const fs::path staged = context_.deps.storage.staging("thumbnail.jpg");
  Status drawn = context_.deps.renderer.thumbnail(*video, staged);
  return drawn ? publish(staged, "thumbnail.jpg") : drawn;
}

Status Task::publish_metadata(const render::RenderJob& order, double assembly_seconds) {
  const WorkerDependencies& deps = context_.deps;
  for (const jobs::Segment& segment : leased_.segments) {
    const std::string link = jobs::segment_link_key(leased_.job.id, segment.index);
    if (Status linked = deps.storage.link(segment.artifact_key, link); !linked) return linked;
  }
  const nlohmann::ordered_json metadata =
      job_metadata(leased_.job, leased_.segments, assembly_seconds, deps.clock.now(),
                   deps.renderer.facts(order));
  const fs::path staged = deps.storage.staging("metadata.json");
  Status written = write_file_atomically(staged, metadata.dump(2) + "\n");
  return written ? publish(staged, "metadata.json") : written;
}

// A job that was cancelled or failed meanwhile shows no files. One that another worker finished has
// the same bytes under these names: then they stay.
void Task::unpublish() {
  const Result<jobs::Job> now = context_.deps.jobs.job(leased_.job.id);
  if (!now || !is_terminal(now->status) || now->status == jobs::JobStatus::kDone) return;
  for (const char* file : {"output.mp4", "thumbnail.jpg", "metadata.json"}) {
    const Status removed = context_.deps.storage.remove(jobs::job_file_key(leased_.job.id, file));
    if (removed) continue;
    context_.deps.log.warning(
        "file_not_removed",
        {{"job_id", leased_.job.id}, {"file", file}, {"reason", removed.failure().detail}});
  }
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
    if (removed) continue;
    context_.deps.log.warning(
        "file_not_removed",
        {{"job_id", leased_.job.id}, {"file", key}, {"reason", removed.failure().detail}});
  }
}

}  // namespace pytoon::worker
