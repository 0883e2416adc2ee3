// What the service and the workers need from outside, besides the two stores: handed in by
// constructor, replaced in tests.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "pipeline/media/media_info.h"
#include "pipeline/spec/names.h"
#include "server/jobs/admission/decision.h"
#include "server/jobs/admission/gpu_use.h"
#include "server/jobs/admission/ledger_rules.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"
#include "server/jobs/task_store.h"

namespace pytoon::jobs {

// Wakes whoever takes jobs. Only a hint: jobs are found without it, a little later. Any thread.
class WorkNotifier {
 public:
  virtual ~WorkNotifier() = default;
  virtual void notify() = 0;
};

enum class WebhookOutcome { kDelivered, kRetry, kDeadLetter };

// Counts what happens to jobs. Any thread; nanoseconds.
class JobMetrics {
 public:
  virtual ~JobMetrics() = default;
  virtual void job_created(spec::Archetype archetype, const std::string& preset) = 0;
  virtual void job_done(spec::Archetype archetype, double seconds_since_created) = 0;
  virtual void job_failed(spec::Archetype archetype, const std::string& reason) = 0;
  virtual void segment_rendered(const std::string& engine, double seconds) = 0;
  virtual void fallback_used(const std::string& type) = 0;  // the engine fallen to
  // A job made with another encoder than it could expect.
  virtual void degraded(const std::string& from, const std::string& to) = 0;
  virtual void job_cancelled(spec::Archetype archetype) = 0;
  virtual void job_retried(spec::Archetype archetype) = 0;
  virtual void task_reaped(TaskKind kind) = 0;  // its worker died or hung
  virtual void lease_lost(
      TaskKind kind) = 0;  // a worker noticed that its task is another's, or gone
  virtual void job_quarantined() = 0;
  virtual void webhook_tried(WebhookOutcome outcome) = 0;

  // What becomes of tasks that need GPU memory (jobs/admission). Each decision that is acted upon,
  // not each look of a task that waits on.
  virtual void admission_decided(admission::Lane lane, admission::Decision::Kind decision,
                                 admission::Reason reason) = 0;
  // From the first decision about a task to its start; 0 when it ran at once.
  virtual void admission_waited(admission::Lane lane, double seconds) = 0;
  virtual void admission_violation(admission::ViolationCause cause) = 0;
  virtual void headroom_used() = 0;
  // The cards that this process has just measured, all of them: one that is missing can't be read.
  virtual void gpus_sampled(const std::vector<admission::GpuUse>& gpus) = 0;
  virtual void model_reloaded() = 0;  // a prompt had to bring its model to the card
  // Observed peak over the estimate that was promised for it: 1 is exact, more a breach.
  virtual void profile_error(const std::string& workflow, double ratio) = 0;
};

// Decodes an uploaded file, all of it, to be sure of it. kUnsupportedType, kInvalid (too many
// pixels, too long, encrypted ...), kTooLarge, kMalformed. Any thread; blocks, for seconds on a
// long clip.
class MediaInspector {
 public:
  virtual ~MediaInspector() = default;
  virtual Result<media::MediaInfo> inspect_image(const std::filesystem::path& file) = 0;
  virtual Result<media::MediaInfo> inspect_clip(const std::filesystem::path& file) = 0;
  virtual Result<media::MediaInfo> inspect_audio(const std::filesystem::path& file) = 0;
};

// Draws frames of a job that was planned and not taken, as one JPEG of half the video's edges, each
// below the one before it. Any thread; blocks while they are drawn.
class FramePreviewer {
 public:
  virtual ~FramePreviewer() = default;
  // frames: of the whole video. Errors: those of a job's inputs and of drawing.
  virtual Result<std::string> strip_jpeg(const NewJob& job, const std::vector<int>& frames) = 0;
};

// Whether the service can do its work. Any thread; blocks for milliseconds.
class HealthSource {
 public:
  virtual ~HealthSource() = default;
  virtual Service::Readiness readiness() = 0;
  virtual bool draining() const = 0;  // takes no new jobs
};

}  // namespace pytoon::jobs
