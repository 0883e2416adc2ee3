// A job and its segments as stored and shown. Plain values.
#pragma once

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
  std::string audio_facts;   // JSON, for metadata.json
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

// Where a job's files are in storage. The link shows the segment's winning object.
std::string job_file_key(const std::string& job_id, const std::string& file);
std::string segment_link_key(const std::string& job_id, int index);  // .../segments/seg_007.mp4

}  // namespace pytoon::jobs
