// The story of one leased job, top to bottom, one step() at a time: plan, inputs, footage, keys,
// segments, assembly, thumbnail, metadata, done. Every step leaves the store and the storage such
// that another process can go on from there: finished segments are never rendered twice.
//
// Segments are independent steps: as many threads may be in step() at once as there are pending
// segments. All other steps are taken by one thread at a time.
//
// How troubles end: a full or absent store or storage is waited for; a lost lease (another epoch,
// a human's UPDATE) ends the run at once; a segment that fails twice gets card footage, and when
// the card fails twice too the job is FAILED; an exception hands the job back as crashed. When a
// hardware encoder fails, the job goes over to the software one, once, with all its segments.
//
// Thread rule: step(), has_work(), stop() and over() from any thread; beat() from one.
// step() blocks for as long as its piece of work takes, the others for milliseconds.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/log.h"
#include "engines/ladder.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/ports.h"
#include "server/worker/job_encoder.h"
#include "server/worker/job_metadata.h"
#include "server/worker/sound_task.h"

namespace pytoon::worker {

// All must outlive the runs.
struct RunParts {
  jobs::JobStore& store;
  jobs::ObjectStore& storage;
  render::Renderer& renderer;
  engines::Ladder& ladder;
  const spec::PresetTable& presets;
  jobs::JobMetrics& metrics;
  const Clock& clock;
  Log& log;
};

struct RunOptions {
  std::chrono::milliseconds lease{20'000};   // renewed at a quarter of it
  std::chrono::milliseconds back_off{1000};  // doubles
  std::chrono::milliseconds back_off_max{30'000};
  std::filesystem::path last_logo;  // used when storage has no brand logo; "" is none
};

class JobRun {
 public:
  enum class Step { kWorked, kNothing, kOver };

  JobRun(jobs::Claim claim, const RunParts& parts, const RunOptions& options);

  const std::string& job_id() const { return job_.id; }
  // It crashed before and may take this process with it: better run alone.
  bool suspect() const { return job_.crashes >= jobs::kCrashesBeforeCard - 1; }

  bool has_work() const;  // step() would find something to do now
  Step step();
  // Keeps the lease, notices that it is lost, publishes the progress. Several times a second.
  void beat();
  // Cancels what is running; the last one out hands the lease back, no attempt spent.
  void stop();
  bool over() const { return over_; }

 private:
  enum class Stage {
    kPlan,
    kInputs,
    kFootage,
    kKeys,
    kSegments,
    kAssemble,
    kThumbnail,
    kMetadata,
    kFinish
  };
  enum class End { kNone, kDone, kLost, kStopped, kCrashed };
  enum class Outcome { kOk, kAgain, kBackOff, kKeysChanged, kDone, kLost, kCrashed };

  struct Slot {
    enum class State { kPending, kRunning, kDone };
    State state = State::kPending;
    jobs::Segment row;
    std::string key;
    std::string engine;
    int failures = 0;  // in a row, with the same footage
    int frame_count = 0;
    std::atomic<int> frames{0};
  };
  // One piece of work. A segment keeps the job and the key it began with.
  struct Unit {
    Stage stage = Stage::kPlan;
    std::size_t segment = 0;
    std::shared_ptr<const render::RenderJob> job;
    std::string key;
  };

  // job_run.cpp: who does what next, and how it ends
  std::optional<Unit> take();
  Outcome attempt(const Unit& unit);
  Outcome judge(const Unit& unit, const Failure& failure);
  void settle(const Unit& unit, Outcome outcome);
  void settle_segment(const Unit& unit, Outcome outcome);
  void settle_stage(const Unit& unit, Outcome outcome);
  void end(End how);  // with the lock held
  void close_if_last(std::unique_lock<std::mutex>& lock);
  void close(End how);
  void explain_loss();
  Outcome fail_job(const std::string& reason, const std::string& detail);
  Status move_to_end(const jobs::JobStore::Move& move);
  static Outcome judge_store(const Failure& failure);
  void publish_progress();

  // job_steps.cpp: what is done once
  Status perform(const Unit& unit);
  Status plan();
  Status fetch();
  void begin_sound();
  Status finish_sound();
  Status choose_footage();
  Status choose_encoder();
  Status make_keys();
  Status assemble();
  Status make_thumbnail();
  Status write_metadata();
  Status finish();
  Status advance(jobs::JobStatus to);
  Status publish(const std::filesystem::path& staged, const std::string& file);

  // job_segments.cpp: what is done for each segment
  bool intact(const jobs::Segment& row);
  Status render(const Unit& unit);
  Status keep(const Unit& unit, const std::filesystem::path& staged, double seconds);
  Status keep_row(std::size_t index, const jobs::Segment& row);
  Outcome segment_failed(const Unit& unit, const Failure& failure);
  Outcome fall_to_card(const Unit& unit, const Failure& failure);
  Outcome change_encoder(const Unit& unit, const EncoderDecision& decision);
  void tell_degraded(const EncoderDecision& decision);
  Status note_fallback(const std::string& engine, const std::string& reason,
                       std::optional<std::size_t> segment);

  double seconds_since(SteadyTime began) const;
  std::vector<jobs::Segment> rows() const;

  const RunParts parts_;
  const RunOptions options_;
  const jobs::Lease lease_;
  const CancelToken cancel_;

  // Touched by the one thread that has the stage.
  jobs::Job job_;
  render::Inputs inputs_;
  JobTimings timings_;
  std::unique_ptr<SoundTask> sound_;    // null: the job has none
  nlohmann::ordered_json sound_facts_;  // null: not ready, or it could not be made
  bool sound_given_up_ = false;
  bool rechecked_ = false;

  mutable std::mutex mutex_;  // protects what follows
  Stage stage_ = Stage::kPlan;
  bool stage_taken_ = false;
  bool keys_changed_ = false;
  int running_ = 0;
  End end_ = End::kNone;
  bool closing_ = false;
  SteadyTime wake_at_{};
  std::chrono::milliseconds delay_{0};
  int io_failures_ = 0;
  SteadyTime segments_began_{};
  std::vector<render::SegmentFootage> footage_;
  EncoderDecision encoder_;  // once the keys are made
  std::shared_ptr<const render::RenderJob> render_job_;
  std::vector<Slot> slots_;

  std::atomic<bool> ending_{false};  // we are writing the job's end ourselves
  std::atomic<bool> over_{false};

  // Of beat() alone.
  SteadyTime renew_at_{};
  int published_pct_ = 0;
};

}  // namespace pytoon::worker
