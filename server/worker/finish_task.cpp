// The last task: every segment is there. Join them, publish video, thumbnail and metadata, and say
// DONE. All of it can be done again from the start by somebody else.
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "server/worker/job_metadata.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

Status Task::finish() {
  const Parts& parts = desk_.parts;
  Result<render::RenderJob> order = this->order();
  if (!order) return order.failure();
  const Result<std::vector<std::string>> keys = parts.renderer.content_keys(*order);
  if (!keys) return keys.failure();
  std::vector<jobs::Segment> broken;
  for (const jobs::Segment& segment : claim_.segments) {
    const bool same = segment.content_key == keys->at(static_cast<std::size_t>(segment.index));
    if (!same || !intact(segment, parts.storage)) broken.push_back(segment);
  }
  const jobs::Job& job = claim_.job;
  std::optional<fs::path> sound;
  bool sound_lost = false;
  if (!job.sound_key.empty()) {
    sound_lost = !intact(job.sound_key, job.sound_sha256, parts.storage);
    if (const auto path = parts.storage.local(job.sound_key)) sound = *path;
  }
  if (!broken.empty() || sound_lost) return remake(broken, sound_lost);

  const SteadyTime began = parts.clock.steady_now();
  if (Status made = publish_video(*order, sound); !made) return made;
  const std::chrono::duration<double> took = parts.clock.steady_now() - began;
  parts.log.info("assembly_complete", {{"job_id", claim_.job.id}, {"seconds", took.count()}});
  if (Status made = publish_thumbnail(); !made) return made;
  if (Status made = publish_metadata(*order, took.count()); !made) return made;
  Status done = commit([&] { return parts.tasks.finished(claim_.lease); });
  if (!done) {
    unpublish();
    return done;
  }
  remove_parts();
  const std::chrono::duration<double> total = parts.clock.now() - claim_.job.created_at;
  parts.metrics.job_done(claim_.job.spec.archetype, total.count());
  parts.log.info("job_done", {{"job_id", claim_.job.id},
                              {"seconds", total.count()},
                              {"fallback_used", claim_.job.fallback_used}});
  return done;
}

Status Task::remake(const std::vector<jobs::Segment>& broken, bool sound_lost) {
  jobs::Restart restart;
  restart.sound_lost = sound_lost;
  restart.encoder = claim_.job.encoder;
  std::string which;
  for (jobs::Segment segment : broken) {
    segment.status = jobs::SegmentStatus::kPending;
    restart.segments.push_back(segment);
    which += (which.empty() ? "" : ", ") + std::to_string(segment.index);
  }
  desk_.parts.log.warning("segments_remade",
                          {{"job_id", claim_.job.id}, {"segments", which}, {"sound", sound_lost}});
  return commit([&] { return desk_.parts.tasks.restart(claim_.lease, restart); });
}

Status Task::publish(const fs::path& staged, const std::string& file) {
  Status put = failure(FailureKind::kCancelled, "stopped before " + file + " was published");
  if (!stopped()) {
    put = desk_.parts.storage.put(staged, jobs::job_file_key(claim_.job.id, file));
  }
  std::error_code ignored;
  if (!put) fs::remove(staged, ignored);
  return put;
}

Status Task::publish_video(const render::RenderJob& order, const std::optional<fs::path>& sound) {
  std::vector<fs::path> files;
  for (const jobs::Segment& segment : claim_.segments) {
    Result<fs::path> file = desk_.parts.storage.local(segment.artifact_key);
    if (!file) return file.failure();
    files.push_back(std::move(file).value());
  }
  const fs::path staged = desk_.parts.storage.staging("output.mp4");
  Status made = desk_.parts.renderer.assemble(order, files, sound, staged, cancel_);
  return made ? publish(staged, "output.mp4") : made;
}

Status Task::publish_thumbnail() {
  const Result<fs::path> video =
      desk_.parts.storage.local(jobs::job_file_key(claim_.job.id, "output.mp4"));
  if (!video) return video.failure();
  const fs::path staged = desk_.parts.storage.staging("thumbnail.jpg");
  Status drawn = desk_.parts.renderer.thumbnail(*video, staged);
  return drawn ? publish(staged, "thumbnail.jpg") : drawn;
}

Status Task::publish_metadata(const render::RenderJob& order, double assembly_seconds) {
  const Parts& parts = desk_.parts;
  for (const jobs::Segment& segment : claim_.segments) {
    const std::string link = jobs::segment_link_key(claim_.job.id, segment.index);
    if (Status linked = parts.storage.link(segment.artifact_key, link); !linked) return linked;
  }
  const nlohmann::ordered_json metadata =
      job_metadata(claim_.job, claim_.segments, assembly_seconds, parts.clock.now(),
                   parts.renderer.facts(order));
  const fs::path staged = parts.storage.staging("metadata.json");
  Status written = write_file_atomically(staged, metadata.dump(2) + "\n");
  return written ? publish(staged, "metadata.json") : written;
}

// A job that was cancelled or failed meanwhile shows no files. One that another worker finished has
// the same bytes under these names: then they stay.
void Task::unpublish() {
  const Result<jobs::Job> now = desk_.parts.jobs.job(claim_.job.id);
  if (!now || !is_terminal(now->status) || now->status == jobs::JobStatus::kDone) return;
  for (const char* file : {"output.mp4", "thumbnail.jpg", "metadata.json"}) {
    const Status removed = desk_.parts.storage.remove(jobs::job_file_key(claim_.job.id, file));
    if (removed) continue;
    desk_.parts.log.warning(
        "file_not_removed",
        {{"job_id", claim_.job.id}, {"file", file}, {"reason", removed.failure().detail}});
  }
}

// What only the making needed.
void Task::remove_parts() {
  std::vector<std::string> keys;
  if (!claim_.job.sound_key.empty()) keys.push_back(claim_.job.sound_key);
  for (const jobs::Segment& segment : claim_.segments) {
    if (!segment.footage_key.empty()) keys.push_back(segment.footage_key);
  }
  for (const std::string& key : keys) {
    const Status removed = desk_.parts.storage.remove(key);
    if (removed) continue;
    desk_.parts.log.warning(
        "file_not_removed",
        {{"job_id", claim_.job.id}, {"file", key}, {"reason", removed.failure().detail}});
  }
}

}  // namespace pytoon::worker
