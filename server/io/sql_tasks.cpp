// SqlStore: how tasks end, and what workers note on the way.
#include <algorithm>

#include "server/io/sql_deaths.h"
#include "server/io/sql_flow.h"
#include "server/io/sql_writing.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::Job;
using jobs::JobStatus;
using jobs::Lease;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::Task;
using jobs::TaskKind;

namespace {

Task task_of(const Lease& lease) { return {lease.kind, lease.segment}; }

// A write that fits another kind of task is our own mistake.
Status require(const Lease& lease, TaskKind kind) {
  if (lease.kind == kind) return ok_status();
  return failure(FailureKind::kInternal, "a lease for " + std::string(name_of(lease.kind)) +
                                             " can't end " + std::string(name_of(kind)));
}

// The task ended well.
void conclude(SqlSession& session, Job& job, const Lease& lease) {
  remove_task(session, job.id, task_of(lease));
  job.crashes = jobs::crashes_after_success(job.crashes);
  forget_crashes(session, job.id);
  settle(session, job);
}

}  // namespace

Status SqlStore::prepared(const Lease& lease, const jobs::PrepareResult& preparation) {
  if (Status fits = require(lease, TaskKind::kPrepare); !fits) return fits;
  return held_writing("prepared", lease, [&](SqlSession& session, Job& job) -> Status {
    job.encoder = preparation.encoder;
    if (!preparation.degraded.empty()) job.degraded = preparation.degraded;
    for (const Segment& segment : preparation.segments) write_segment(session, job.id, segment);
    if (preparation.audio) add_tasks(session, job, {Task{TaskKind::kAudio}});
    conclude(session, job, lease);
    return ok_status();
  });
}

Status SqlStore::footage_decided(const Lease& lease, const Segment& segment) {
  if (Status fits = require(lease, TaskKind::kFootage); !fits) return fits;
  return held_writing("footage_decided", lease, [&](SqlSession& session, Job& job) -> Status {
    write_segment(session, job.id, segment);
    conclude(session, job, lease);
    return ok_status();
  });
}

Status SqlStore::footage_passed(const Lease& lease, const Segment& segment) {
  if (Status fits = require(lease, TaskKind::kFootage); !fits) return fits;
  return held_writing("footage_passed", lease, [&](SqlSession& session, Job& job) -> Status {
    write_segment(session, job.id, segment);
    free_task(session, job.id, task_of(lease), 0, false);
    set_engine_of_footage(session, job.id, lease.segment);
    write_job(session, job);
    return ok_status();
  });
}

Status SqlStore::audio_made(const Lease& lease, const std::string& key, const std::string& sha256,
                            const std::string& facts) {
  if (Status fits = require(lease, TaskKind::kAudio); !fits) return fits;
  return held_writing("audio_made", lease, [&](SqlSession& session, Job& job) -> Status {
    job.audio_key = key;
    job.audio_sha256 = sha256;
    job.audio_facts = facts;
    conclude(session, job, lease);
    return ok_status();
  });
}

Status SqlStore::segment_done(const Lease& lease, const Segment& segment, double seconds) {
  if (Status fits = require(lease, TaskKind::kRender); !fits) return fits;
  return held_writing("segment_done", lease, [&](SqlSession& session, Job& job) -> Status {
    Segment done = segment;
    done.status = SegmentStatus::kDone;
    write_segment(session, job.id, done);
    session.run(
        "UPDATE segments SET finished_at = ?, render_seconds = ? WHERE job_id = ? AND idx = ?",
        {session.now(), seconds, job.id, segment.index});
    conclude(session, job, lease);
    return ok_status();
  });
}

Result<std::optional<jobs::FinishedSegment>> SqlStore::finished_segment(
    const std::string& tenant, const std::string& content_key) {
  using Found = std::optional<jobs::FinishedSegment>;
  return reading([&](SqlSession& session) -> Result<Found> {
    const Rows rows = session.query(
        "SELECT s.artifact_key, s.artifact_sha256 FROM segments s JOIN jobs j ON j.id = s.job_id "
        "WHERE s.content_key = ? AND s.status = 'DONE' AND s.artifact_key <> '' AND j.tenant = ? "
        "AND j.files_removed_at IS NULL ORDER BY coalesce(s.finished_at, 0) DESC LIMIT 1",
        {content_key, tenant});
    if (rows.empty()) return Found();
    return Found(jobs::FinishedSegment{rows[0].text(0), rows[0].text(1)});
  });
}

Status SqlStore::finished(const Lease& lease, const std::string& output_folder) {
  if (Status fits = require(lease, TaskKind::kFinish); !fits) return fits;
  return held_writing("finished", lease, [&](SqlSession& session, Job& job) -> Status {
    job.output_folder = output_folder;
    end_job(session, job, JobStatus::kDone, "");
    return ok_status();
  });
}

Status SqlStore::failed(const Lease& lease, const std::string& error) {
  return held_writing("failed", lease, [&](SqlSession& session, Job& job) -> Status {
    if (lease.kind == TaskKind::kRender || lease.kind == TaskKind::kFootage) {
      session.run("UPDATE segments SET status = 'FAILED', error = ? WHERE job_id = ? AND idx = ?",
                  {error, job.id, lease.segment});
    }
    end_job(session, job, JobStatus::kFailed, error);
    return ok_status();
  });
}

Status SqlStore::restart(const Lease& lease, const jobs::Replan& restart) {
  return held_writing("restart", lease, [&](SqlSession& session, Job& job) -> Status {
    if (!restart.encoder.empty()) job.encoder = restart.encoder;
    if (!restart.degraded.empty()) job.degraded = restart.degraded;
    job.crashes = jobs::crashes_after_success(job.crashes);
    begin_run(session, job, restart.segments, restart.audio_lost);
    return ok_status();
  });
}

Status SqlStore::put_progress(const Lease& lease, int frames) {
  return held_writing("put_progress", lease, [&](SqlSession& session, Job& job) -> Status {
    session.run("UPDATE tasks SET frames = ? WHERE job_id = ? AND kind = ? AND segment = ?",
                {frames, job.id, name_of(lease.kind), lease.segment});
    const int pct = jobs::progress_pct(read_segments(session, job.id),
                                       frames_under_way(session, job.id), job.spec.output.fps);
    if (pct <= job.progress_pct) return ok_status();
    job.progress_pct = pct;
    write_job(session, job);
    return ok_status();
  });
}

Status SqlStore::put_waiting(const Lease& lease, const std::string& text) {
  return held_writing("put_waiting", lease, [&](SqlSession& session, Job& job) -> Status {
    // With a second wait the first one goes on.
    const std::int64_t changed = session.run(
        "UPDATE tasks SET waiting_since = CASE WHEN ? = '' THEN NULL ELSE "
        "coalesce(waiting_since, ?) END, waiting_for = ? "
        "WHERE job_id = ? AND kind = ? AND segment = ? AND waiting_for <> ?",
        {text, session.now(), text, job.id, name_of(lease.kind), lease.segment, text});
    if (changed > 0) write_job(session, job);
    return ok_status();
  });
}

Status SqlStore::note_fallback(const Lease& lease, const std::string& reason) {
  return held_writing("note_fallback", lease, [&](SqlSession& session, Job& job) -> Status {
    if (job.fallback_used) return ok_status();
    job.fallback_used = true;
    job.fallback_reason = reason;
    write_job(session, job);
    return ok_status();
  });
}

}  // namespace pytoon::io
