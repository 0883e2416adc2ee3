// One leased piece of work while this process does it: perform it, commit its end, or judge why it
// could not be done. Whatever happens, store and storage are left such that any other process can
// go on from there.
//
// How troubles end is said by the failure's row in base/failure.h: what passes by itself (a full or
// absent store or storage) is waited for, no attempt spent; where this process is broken (a lost
// GPU) the task is handed back and the process marked (jobs/process_health.h). A lost lease
// (another epoch, a human's UPDATE, a cancel) ends it at once; a segment that fails twice gets card
// footage in a new run, and when the card fails twice too the job is FAILED; audio that fails twice
// is left out; an exception counts as a crash.
//
// Thread rule: run() by one thread, once; the rest from any thread. run() blocks for as long as the
// work takes, or until it was told to stop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "server/jobs/task_rules.h"
#include "server/worker/gpu_admission.h"
#include "server/worker/input_cache.h"
#include "server/worker/job_encoder.h"
#include "server/worker/retry_budget.h"
#include "server/worker/worker_dependencies.h"

namespace pytoon::worker {

// Shared by all tasks of a process.
struct WorkerContext {
  WorkerDependencies deps;
  Options options;
  InputCache inputs;
  RetryBudget retry_budget;

  WorkerContext(const WorkerDependencies& p, Options o)
      : deps(p),
        options(std::move(o)),
        inputs(p.jobs, p.storage, p.clock),
        retry_budget({options.back_off, options.back_off_max}, seed_from(options.worker_id)) {}
};

class Task {
 public:
  enum class Stop {
    kNone,
    kLost,     // the lease is gone: write nothing more
    kLeaving,  // the process stops: hand the work back
    kHung,     // no progress: give it back as failed
  };

  Task(jobs::LeasedTask leased, WorkerContext& context);  // at once when it was leased

  void run();

  const jobs::Lease& lease() const { return leased_.lease; }
  const jobs::Job& job() const { return leased_.job; }
  // Its job crashed before and may take this process with it: better run alone.
  bool is_poison_suspect() const { return jobs::is_poison_suspect(leased_.job); }
  int frames() const { return frames_; }  // as progress counts them (task_rules.h)
  // What so many frames are of the job's progress.
  int percents(int frames) const {
    return jobs::percents_of(leased_.segments, frames, leased_.job.spec.output.fps);
  }
  // The first reason counts.
  void stop(Stop why);
  bool stopped() const { return stop_ != Stop::kNone; }
  // It has done what it can: the record of it has to wait for the store.
  bool waits() const { return waits_; }
  // Its end is being written, or was: that the store has no such lease any more is no news then.
  bool ends() const { return ends_; }
  // An engine is being asked and may say nothing until then: its own limits.
  SteadyTime silent_until() const { return silent_until_; }

  void tell_lease_lost();
  // For a line of the log: the job and the task's segment, before what else it tells; about_job()
  // the job alone.
  nlohmann::ordered_json about(const nlohmann::ordered_json& more) const;

 private:
  // task.cpp: the way of every task
  Status perform();
  // As long as it takes, too: a lease that is left to run out looks like a crash. A process that is
  // leaving can't wait for ever.
  void give_back(jobs::ReleaseReason ending, std::chrono::milliseconds delay);
  // Writes the end of the task, as long as it takes: the work is done, only the record is away.
  Status commit(const std::function<Status()>& write);
  // Writes something on the way, likewise.
  Status persist(const std::function<Status()>& write);
  void tell_span(std::string name, WallTime began, const std::string& error);
  void tell_job_span(const std::string& error);
  void wait_for_store();
  Result<render::RenderJob> order();  // what content keys are made of; no files
  nlohmann::ordered_json about_job(const nlohmann::ordered_json& more) const;

  // failure_policy.cpp: how failures end
  void on_failure(const Failure& failure);
  void wait_for_machine(const Failure& failure);
  void wait_or_fail(const Failure& failure);
  void fail_job(const std::string& reason, const std::string& detail);
  bool change_encoder(const Failure& failure);
  void tell_degraded(const std::string& from, const std::string& to, const std::string& reason);
  void on_segment_failure(const Failure& failure);
  void fall_to_card(const Failure& failure);
  void leave_out_audio(const Failure& failure);
  bool inputs_lost();
  Status note_fallback(const std::string& engine, const std::string& reason);

  // one file each
  Status prepare();
  Status decide_footage();
  engines::Watch watch_of(const jobs::Segment& segment);
  Status make_audio();
  Status render();
  Status finish();

  // For people, and only when it changes: what the task waits for; "" when it goes on.
  void tell_waiting(const std::string& why);

  // render_task.cpp
  Result<std::unique_ptr<RenderTurn>> wait_for_memory(const render::RenderJob& order);
  jobs::admission::Request request_for(int index, const render::SegmentCost& cost) const;
  // prepare_task.cpp
  std::optional<EncoderDecision> leave_full_card(const render::RenderJob& order,
                                                 const std::vector<jobs::Segment>& segments);
  Status settle_what_is_drawn(render::RenderJob& order, std::vector<jobs::Segment>& segments);
  // render_task.cpp
  Result<std::optional<std::string>> take_finished(const std::string& key,
                                                   const std::filesystem::path& staged);
  Status draw(const render::RenderJob& order, const std::string& key,
              const std::filesystem::path& staged);
  struct Drawn {
    double seconds = 0;
    double first_frame_seconds = 0;  // from the lease until the encoder had one to encode
  };
  // sha256: of what is staged. drawn: nullopt when it was taken from another job.
  Status keep(const std::filesystem::path& staged, const std::string& key,
              const std::string& sha256, std::optional<Drawn> drawn);
  void tell_kept(const jobs::Segment& row, const std::optional<Drawn>& drawn);
  bool is_winner(const std::string& artifact_key);
  void tidy_up(const jobs::Segment& winner, const std::string& loser);
  // finish_task.cpp
  Status remake(const std::vector<jobs::Segment>& broken, bool audio_lost);
  Status publish_outputs(const render::RenderJob& order);
  Status publish_video(const render::RenderJob& order, const std::string& folder);
  Status publish_thumbnail(const std::string& folder);
  Status publish_metadata(const render::RenderJob& order, const std::string& folder,
                          double assembly_seconds);
  Status publish(const std::filesystem::path& staged, const std::string& folder,
                 const std::string& file);
  Status link_outputs(const std::string& folder);
  bool has_won(const std::string& folder, const Failure& refused);
  void withdraw(const std::string& folder);
  Status mend_link(const jobs::Job& now, const std::string& file);
  void remove_parts();
  void tell_not_removed(const std::string& file, const Failure& failure);

  const jobs::LeasedTask leased_;
  WorkerContext& context_;
  const SteadyTime leased_at_;
  const SteadyTime engines_until_;  // the job's deadline less the time to draw it
  const CancelToken cancel_;
  std::atomic<Stop> stop_{Stop::kNone};
  std::atomic<int> frames_{0};
  std::atomic<bool> waits_{false};
  std::atomic<bool> promise_lost_{false};
  std::string waiting_for_;  // as the store knows it; run()'s thread alone
  std::atomic<bool> ends_{false};
  std::atomic<SteadyTime> silent_until_{SteadyTime{}};
  bool answer_lost_ = false;  // a write may have been taken though it failed; run()'s thread alone
};

// Whether nobody will ever read what was asked for: it is not there, or not what was stored.
bool is_lost(const Failure& failure);
// Whether an object is there with the bytes that were promised. A storage that can't be asked is a
// Failure, never a no: what it holds must not be made again for that.
Result<bool> intact(const std::string& key, const std::string& sha256, jobs::ObjectStore& storage);
// Whether a segment's object is there with the bytes that its row promises.
Result<bool> intact(const jobs::Segment& segment, jobs::ObjectStore& storage);

}  // namespace pytoon::worker
