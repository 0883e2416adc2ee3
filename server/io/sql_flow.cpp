#include "server/io/sql_flow.h"

#include <algorithm>

namespace pytoon::io {
using jobs::Job;
using jobs::JobStatus;
using jobs::Segment;
using jobs::Task;
using jobs::TaskKind;

namespace {

bool has(const std::vector<Task>& tasks, TaskKind kind) {
  return std::any_of(tasks.begin(), tasks.end(),
                     [kind](const Task& task) { return task.kind == kind; });
}

}  // namespace

void settle(SqlSession& session, Job& job) {
  const std::vector<Segment> segments = read_segments(session, job.id);
  std::vector<Task> open = read_tasks(session, job.id);
  const std::vector<Task> more = tasks_to_add(segments, open);
  add_tasks(session, job, more);
  open.insert(open.end(), more.begin(), more.end());
  if (!has(open, TaskKind::kPrepare)) job.status = status_with(open);
  if (count_open(segments) > 0) {
    job.rendered_at.reset();
  } else if (!job.rendered_at) {
    job.rendered_at = time_from(session.now());
  }
  job.progress_pct =
      std::max(job.progress_pct,
               progress_pct(segments, frames_under_way(session, job.id), job.spec.output.fps));
  write_job(session, job);
}

void end_job(SqlSession& session, Job& job, JobStatus end, const std::string& error) {
  job.status = end;
  job.error = error;
  job.completed_at = time_from(session.now());
  if (end == JobStatus::kDone) job.progress_pct = 100;
  write_job(session, job);
}

void begin_run(SqlSession& session, Job& job, const std::vector<Segment>& segments, bool audio) {
  const std::vector<Task> open = read_tasks(session, job.id);
  const bool audio_open = has(open, TaskKind::kAudio);
  ++job.run;
  remove_all_tasks(session, job.id);
  for (const Segment& segment : segments) write_segment(session, job.id, segment);
  if (audio) {
    job.audio_key.clear();
    job.audio_sha256.clear();
    job.audio_facts.clear();
  }
  if (has(open, TaskKind::kPrepare)) add_tasks(session, job, {{TaskKind::kPrepare}});
  if (audio || audio_open) add_tasks(session, job, {{TaskKind::kAudio}});
  settle(session, job);
}

void quarantine(SqlSession& session, Job& job, const std::string& cause) {
  std::vector<Segment> cards = read_segments(session, job.id);
  for (Segment& segment : cards) segment = as_card(segment);
  job.crashes = jobs::kCrashesBeforeCard;
  job.fallback_used = true;
  job.fallback_reason = "crashed";
  add_dead_letter(session, job.id, "", cause);
  begin_run(session, job, cards, false);
}

jobs::CrashVerdict count_crashes(SqlSession& session, Job& job, int crashes,
                                 const std::string& cause) {
  const int before = job.crashes;
  job.crashes += crashes;
  const jobs::CrashVerdict verdict = jobs::after_crashes(before, job.crashes);
  const std::string told =
      "crashed " + std::to_string(job.crashes) + " times in a row, the last time on " + cause;
  switch (verdict) {
    case jobs::CrashVerdict::kGoOn:
      write_job(session, job);
      break;
    case jobs::CrashVerdict::kQuarantine:
      quarantine(session, job, told);
      break;
    case jobs::CrashVerdict::kFail:
      add_dead_letter(session, job.id, "", told);
      end_job(session, job, JobStatus::kFailed, "even the plain card " + told);
      break;
  }
  return verdict;
}

}  // namespace pytoon::io
