// The workers' half of the record. What is to be done is a task, and a task is held by a lease:
//
//   prepare ----> footage of each segment still undecided, and audio if there is any
//   all footage decided ----> render each segment that is not DONE
//   every segment DONE and the audio made ----> finish
//
// so that several workers, on several hosts, make one job together. Finishing a task and creating
// those that follow is one commit; tasks of a job that has ended are gone, however it ended: a
// human's UPDATE of jobs.status counts (a trigger removes them).
//
// A lease's epoch is the fencing number: unique over all leases of the store and growing, so that
// objects can be named after it. Every write of a worker carries its lease and is refused with
// kConflict when the task is gone or has another epoch: the worker then stops that piece of work.
// Leases are timed by the database's clock; one that ran out is free once reap() has been there.
//
// Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/jobs/job.h"

namespace pytoon::jobs {

enum class TaskKind { kPrepare, kFootage, kAudio, kRender, kFinish };

std::string_view name_of(TaskKind kind);  // "prepare"
std::optional<TaskKind> task_kind_from_name(std::string_view name);

struct Lease {
  std::string job_id;
  TaskKind kind = TaskKind::kPrepare;
  int segment = -1;  // of kFootage and kRender
  std::string worker_id;
  std::int64_t epoch = 0;
};

struct LeasedTask {
  Lease lease;
  Job job;
  std::vector<Segment> segments;
  int failures = 0;    // of this very task so far; deaths of its workers are none
  std::string engine;  // of kFootage: whose slot the worker holds for it; "" is none
  WallTime leased_at;  // by the store's clock, as the times of the job
};

// Who asks for work.
struct LeaseRequest {
  std::string worker_id;              // unique for each start of a process
  std::vector<TaskKind> kinds;        // that it would do
  std::vector<std::string> encoders;  // that it has: render tasks of others are not for it
  // Of which it has a free slot: footage tasks for others are not for it. Empty: those that are for
  // none.
  std::vector<std::string> engines;
};

enum class ReleaseReason {
  kHandedBack,  // nothing went wrong: a drain, a stop, a wait for a full disk
  kFailed,      // an error: counts an attempt of the job and a failure of the task
  kCrashed,     // counts as that, and a crash of the job
};

// A lease that ran out: its worker died or hung.
struct Reaped {
  std::string job_id;
  std::string trace_id;  // of the job (job_trace.h), as in the two below
  TaskKind kind = TaskKind::kPrepare;
  int segment = -1;
  std::string worker_id;
  int crashes = 0;           // of the job, this one included if it counts
  bool quarantined = false;  // it was blamed: the job goes on as a plain card
  bool failed = false;       // even the card crashed too often: the job is FAILED
};

// A job whose encoder no live worker has any more.
struct Degraded {
  std::string job_id;
  std::string trace_id;
  std::string from;
  std::string to;
};

// A job that waited for an engine which no live worker has any more.
struct EngineOrphan {
  std::string job_id;
  std::string trace_id;
};

// What prepare found out.
struct PrepareResult {
  std::string encoder;
  std::vector<Segment> segments;  // all: footage decided or nullopt; one that is to be made anew
                                  // is PENDING, one whose object is kept is DONE
  bool audio = false;             // there is audio to be made and none is kept
  std::string degraded;           // why the encoder is not the best one; "" when it is
};

// Making some segments anew, in a new run of the job: their footage fell to the card, the encoder
// was changed, an object was lost. All workers of the job lose their leases.
struct Replan {
  std::vector<Segment> segments;  // those concerned, PENDING, with the footage they get now
  std::string encoder;            // the new one; "" leaves it
  std::string degraded;           // "" leaves it
  bool audio_lost = false;        // make the audio again
};

// The object of a segment that is DONE.
struct FinishedSegment {
  std::string artifact_key;
  std::string artifact_sha256;
};

class TaskStore {
 public:
  virtual ~TaskStore() = default;

  // The next task for this request: first whose tenant's turn it is, then its job of the highest
  // priority, then the oldest (lease_order.h). Leasing the prepare task
  // moves QUEUED to PLANNING, a render task its segment to RUNNING.
  virtual Result<std::optional<LeasedTask>> lease_next(const LeaseRequest& request,
                                                       std::chrono::milliseconds duration) = 0;
  // Those of `leases` that are held no more. The others last `duration` from now, also one that had
  // run out but was not reaped yet.
  virtual Result<std::vector<Lease>> renew(const std::vector<Lease>& leases,
                                           std::chrono::milliseconds duration) = 0;
  // Only reads: those of the leases that are held no more.
  virtual Result<std::vector<Lease>> lost(const std::vector<Lease>& leases) = 0;
  // The task may be leased again after `delay`.
  virtual Status release(const Lease& lease, ReleaseReason ending,
                         std::chrono::milliseconds delay) = 0;
  // Releases, at no attempt, what the worker holds besides `known`: leases of which it never
  // heard, since the answer was lost. Gives how many.
  virtual Result<int> hand_back_unknown(const std::string& worker_id,
                                        const std::vector<Lease>& known) = 0;

  // True for one caller in each `pause`, whichever process asks: it reaps and degrades for all.
  virtual Result<bool> begin_reaping(std::chrono::milliseconds pause) = 0;
  // Frees the tasks whose leases ran out, and what their workers hold besides of the same jobs: an
  // attempt of the job for each, and at most one crash of the job, however many of its tasks went
  // at once (crashes_after_death()). A worker that was only frozen takes its death back when it
  // reports alive (worker_registry.h). The third crash of a job with nothing finished between
  // quarantines it: every segment becomes card footage in a new run, the fallback's reason is
  // "crashed", and a dead letter keeps the cause. Of a job that was being prepared the footage is
  // decided then, and preparing it must leave it so. quarantined and failed are said on the job's
  // last task only.
  virtual Result<std::vector<Reaped>> reap() = 0;
  // Only for the sole owner of a store, at its start: whoever else holds a lease is dead. In a
  // store that others share this would take the work of the living.
  virtual Status expire_leases_except(const std::string& worker_id) = 0;
  // Jobs whose encoder no worker seen within `patience` has go on with `to`, all segments anew.
  // Does nothing while no such worker has `to` either.
  virtual Result<std::vector<Degraded>> degrade(const std::string& to,
                                                std::chrono::milliseconds patience) = 0;
  // Footage tasks for an engine that no worker seen within `patience` has become tasks for none, so
  // that whoever takes one goes on behind that engine. Gives the jobs concerned.
  virtual Result<std::vector<EngineOrphan>> release_engines(std::chrono::milliseconds patience) = 0;

  // The process of the task's worker does nothing else from now on: should it die, the task killed
  // it, or nobody did. Before the task is begun.
  virtual Status put_alone(const Lease& lease) = 0;

  // Ends of tasks. Each removes the task, adds those that follow, and ends a row of crashes.
  virtual Status prepared(const Lease& lease, const PrepareResult& preparation) = 0;
  virtual Status footage_decided(const Lease& lease, const Segment& segment) = 0;
  // Not an end: the task is free again, for segment.engine_next, and keeps segment.engine_failures.
  virtual Status footage_passed(const Lease& lease, const Segment& segment) = 0;
  virtual Status audio_made(const Lease& lease, const std::string& key, const std::string& sha256,
                            const std::string& facts) = 0;
  virtual Status segment_done(const Lease& lease, const Segment& segment, double seconds) = 0;
  // Only reads: the tenant's segment of that content key that was finished last. Its object is its
  // job's and may be removed with it at any moment: what is wanted of it must be copied.
  virtual Result<std::optional<FinishedSegment>> finished_segment(
      const std::string& tenant, const std::string& content_key) = 0;
  // DONE: from now on the job's outputs are those in this folder (output_folder_of()).
  virtual Status finished(const Lease& lease, const std::string& output_folder) = 0;
  virtual Status failed(const Lease& lease, const std::string& error) = 0;  // FAILED, the job
  virtual Status restart(const Lease& lease, const Replan& restart) = 0;

  // On the way. Frames of the segment drawn so far: the job's progress follows, never down.
  virtual Status put_progress(const Lease& lease, int frames) = 0;
  virtual Status note_fallback(const Lease& lease, const std::string& reason) = 0;  // first stays
  // What the task waits for, in words for the job's owner; "" when it waits no more. The job shows
  // that of its task that waits longest. The text stays with a task that is handed back, since it
  // may wait for the very thing, and ends with the next lease, a failure and the task. Each other
  // text is a change of the job, seen by who follows it: not for every sample.
  virtual Status put_waiting(const Lease& lease, const std::string& text) = 0;
};

}  // namespace pytoon::jobs
