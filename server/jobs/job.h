// A job and its segments as the store keeps them and the API shows them.
//
// A Job is written in three ways, each one transaction of the store: the service creates it
// (QUEUED), workers move it on under their leases, clients and operators cancel, retry and
// force-fail it. What the API answers is read from here and nowhere else. Fields say which state
// fills them in; "" or nullopt means "not yet" or "none".
//
//   QUEUED -> PLANNING -> RENDERING_SEGMENTS -> ASSEMBLING -> DONE | FAILED | CANCELLED
//
// Thread rule: values; copying a Job copies its RenderSpec (some KB).
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

// A job that crashes this often without getting on ends with plain card footage; when even that
// crashes, it fails. Which deaths of workers count: task_rules.h.
inline constexpr int kCrashesBeforeCard = 3;
inline constexpr int kCrashesBeforeFailure = 6;

struct Job {
  std::string id;      // made at submission, unique, safe in a path
  std::string tenant;  // of the key that submitted it; others get 404
  JobStatus status = JobStatus::kQueued;
  spec::RenderSpec spec;        // fixed at submission
  int priority = 5;             // 0 to 9, larger first
  std::string webhook_url;      // "" is none
  std::string traceparent;      // of the submission; "" is none. Ask trace_of()
  int run = 1;                  // grows with a retry, and when segments must be made anew
  int attempts = 0;             // pieces of work begun again after a crash or an error
  int crashes = 0;              // with no piece of work finished between them
  int progress_pct = 0;         // 0 to 100, never down within a run
  bool fallback_used = false;   // an engine of the chain gave nothing, or the audio was left out
  std::string fallback_reason;  // the first one; for people, without internal addresses
  std::string error;            // why it is FAILED; "" in every other state
  std::string encoder;          // as the renderer calls it; "" until it is prepared
  std::string degraded;         // why it left the encoder it began with; "" when it did not
  std::string audio_key;        // storage key of the prepared audio; "" when there is none (yet)
  std::string audio_sha256;     // of that object
  std::string audio_facts;      // measured loudness and peaks as JSON, for metadata.json
  // Storage folder of the outputs that won; "" until it is DONE, and of jobs that were DONE when
  // outputs had no folder of their own. Ask output_key().
  std::string output_folder;
  bool files_removed = false;  // by retention, after it ended; a retry draws all anew
  int segments_reused = 0;     // of those that are DONE, as the latest write of the job found them
  std::int64_t version = 0;    // grows with every change: the event id
  WallTime created_at;         // all times are of the database's clock, UTC
  WallTime updated_at;
  std::optional<WallTime> started_at;   // first taken by a worker
  std::optional<WallTime> taken_at;     // likewise, since it was submitted or queued again
  std::optional<WallTime> rendered_at;  // its last segment was finished
  std::optional<WallTime> completed_at;
  std::string waiting_for;          // what its task waits for that waits longest; "" when none does
  std::int64_t queue_position = 0;  // 1 is next; 0 when not queued
  std::int64_t segments_ahead = 0;  // served before its own; filled in where one job is asked for
  std::optional<std::int64_t> eta_seconds;  // filled in by the service where one job is asked for
};

// Whether nobody will ever want what is made for this run of the job.
inline bool is_over(const Job& job, int run) { return is_terminal(job.status) || job.run != run; }

// One piece of the video with frames of its own. PENDING until a worker leases its rendering
// (RUNNING), DONE once its object is committed; a new run sets it back to PENDING.
struct Segment {
  int index = 0;  // 0 is the first
  SegmentStatus status = SegmentStatus::kPending;
  int duration_seconds = 0;
  std::optional<plan::SourceKind> footage;  // nullopt until it is decided
  std::string footage_key;                  // storage key of an engine's clip
  std::string footage_sha256;
  std::string engine_used;  // whose footage it shows; "" until that is decided
  // While its footage is undecided: the engine to be asked next ("" is none yet, or none that needs
  // a slot).
  std::string engine_next;
  std::string engine_failures;  // why engines before that one, or engine_used, gave nothing
  std::string content_key;      // hash of all that determines its bytes; "" until it is prepared
  std::string artifact_key;     // storage key of the winning object; "" until it is DONE
  std::string artifact_sha256;  // of that object
  bool reused = false;          // it is a copy of another job's segment; nothing was drawn
  std::string error;            // why its last attempt failed; kept after a later success
  double render_seconds = 0;    // how long drawing and encoding it took; read, never written
  std::optional<WallTime> finished_at;  // when that was done; likewise
};

// Where people find a job's files in storage: links to the objects that won.
std::string job_file_key(const std::string& job_id, const std::string& file);
std::string segment_link_key(const std::string& job_id, int index);
std::string segment_file(int index);  // its name there: "segments/seg_007.mp4"

// What a finished job consists of, besides its segments.
inline constexpr std::array kOutputFiles{"output.mp4", "thumbnail.jpg", "metadata.json"};
// Where the worker of the finish task's lease writes them: named by run and fencing epoch, so that
// nobody else ever writes there and a finisher that overslept can't touch the winner's.
std::string output_folder_of(const std::string& job_id, int run, std::int64_t epoch);
// The winner of a job that is DONE. Its bytes never change.
std::string output_key(const Job& job, const std::string& file);

}  // namespace pytoon::jobs
