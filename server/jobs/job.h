// A job and its segments as stored and shown. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipeline/render/renderer.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::jobs {

enum class JobStatus {
  kQueued,
  kPlanning,
  kRenderingSegments,
  kAssembling,
  kDone,
  kFailed,
  kCancelled
};
enum class SegmentStatus { kPending, kRunning, kDone, kFailed };

std::string_view name_of(JobStatus status);      // "RENDERING_SEGMENTS"
std::string_view name_of(SegmentStatus status);  // "PENDING"
std::optional<JobStatus> job_status_from_name(std::string_view name);
std::optional<SegmentStatus> segment_status_from_name(std::string_view name);
bool is_terminal(JobStatus status);

// A job that kills its worker this often without getting on ends with plain card footage; when
// even that crashes, it fails.
inline constexpr int kCrashesBeforeCard = 3;
inline constexpr int kCrashesBeforeFailure = 6;

struct Job {
  std::string id;
  std::string tenant;
  JobStatus status = JobStatus::kQueued;
  spec::RenderSpec spec;
  int priority = 5;
  std::string webhook_url;  // "" is none
  int run = 1;              // grows with a retry, and when segments must be made anew
  int attempts = 0;         // pieces of work begun again after a crash or an error
  int crashes = 0;          // of those, crashes with no piece of work finished between them
  int progress_pct = 0;
  bool fallback_used = false;
  std::string fallback_reason;
  std::string error;
  std::string encoder;    // as the renderer calls it; "" until it is prepared
  std::string degraded;   // why it left the encoder it began with; "" when it did not
  std::string audio_key;  // storage key of the prepared audio; "" when there is none (yet)
  std::string audio_sha256;
  std::string audio_facts;  // JSON, for metadata.json
  // Storage folder of the outputs that won; "" until it is DONE, and of jobs that were DONE when
  // outputs had no folder of their own. Ask output_key().
  std::string output_folder;
  std::int64_t version = 0;  // grows with every change: the event id
  WallTime created_at;
  WallTime updated_at;
  std::optional<WallTime> started_at;   // first taken by a worker
  std::optional<WallTime> taken_at;     // likewise, since it was submitted or queued again
  std::optional<WallTime> rendered_at;  // its last segment was finished
  std::optional<WallTime> completed_at;
  std::int64_t queue_position = 0;          // 1 is next; 0 when not queued
  std::optional<std::int64_t> eta_seconds;  // filled in by the service where one job is asked for
};

struct Segment {
  int index = 0;
  SegmentStatus status = SegmentStatus::kPending;
  int duration_seconds = 0;
  std::optional<render::Footage> footage;  // nullopt until it is decided
  std::string footage_key;                 // storage key of an engine's clip
  std::string footage_sha256;
  std::string engine_used;
  // While its footage is undecided: the engine to be asked next ("" is none yet, or none that needs
  // a slot), and why those before it gave nothing.
  std::string engine_next;
  std::string engine_failures;
  std::string content_key;
  std::string artifact_key;  // storage key of the winning object
  std::string artifact_sha256;
  std::string error;
};

// Where people find a job's files in storage: links to the objects that won.
std::string job_file_key(const std::string& job_id, const std::string& file);
std::string segment_link_key(const std::string& job_id, int index);  // .../segments/seg_007.mp4

// What a finished job consists of, besides its segments.
inline constexpr std::array kOutputFiles{"output.mp4", "thumbnail.jpg", "metadata.json"};
// Where the worker of the finish task's lease writes them: named by run and fencing epoch, so that
// nobody else ever writes there and a finisher that overslept can't touch the winner's.
std::string output_folder_of(const std::string& job_id, int run, std::int64_t epoch);
// The winner of a job that is DONE. Its bytes never change.
std::string output_key(const Job& job, const std::string& file);

}  // namespace pytoon::jobs
