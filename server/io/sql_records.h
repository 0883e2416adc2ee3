// How jobs, segments and tasks lie in their tables: reading and writing rows, for all files of
// SqlStore. Columns are counted in one place.
//
// Thread rule: as its session.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/io/sql.h"
#include "server/jobs/job_store.h"
#include "server/jobs/task_rules.h"

namespace pytoon::io {

inline std::int64_t micros(std::chrono::milliseconds duration) {
  return std::chrono::microseconds(duration).count();
}
inline WallTime time_from(std::int64_t micros) {
  return WallTime(std::chrono::microseconds(micros));
}
inline std::int64_t micros_since_1970(WallTime time) { return time.time_since_epoch().count(); }
inline std::optional<WallTime> time_in(const Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return time_from(row.integer(column));
}
inline Param time_or_null(const std::optional<WallTime>& time) {
  return time ? Param(micros_since_1970(*time)) : Param(Null{});
}

// The columns that read_job() reads, of a table or alias named jobs.
extern const char* const kJobColumns;
inline constexpr std::size_t kJobColumnCount = 30;
jobs::Job read_job(const Row& row);       // without spec and queue position
std::int64_t seq_of(const Row& job_row);  // the order of creation

// Locks the row until the transaction ends. nullopt when there is none.
std::optional<jobs::Job> lock_job(SqlSession& session, const std::string& id);
// Locks the job of a lease and makes sure that the lease is held: kConflict.
Result<jobs::Job> lock_held_job(SqlSession& session, const jobs::Lease& lease);

std::vector<jobs::Segment> read_segments(SqlSession& session, const std::string& job_id);
void write_segment(SqlSession& session, const std::string& job_id, const jobs::Segment& segment);

std::optional<jobs::IdempotencyRecord> find_record(SqlSession& session, const std::string& tenant,
                                                   const std::string& idempotency_key);

// All tasks of the job, ready or held.
std::vector<jobs::Task> read_tasks(SqlSession& session, const std::string& job_id);
void add_tasks(SqlSession& session, const jobs::Job& job, const std::vector<jobs::Task>& tasks);
// A footage task is leased to who has a slot of the engine that its segment's row names.
void set_engine_of_footage(SqlSession& session, const std::string& job_id, int segment);
void remove_task(SqlSession& session, const std::string& job_id, const jobs::Task& task);
void remove_all_tasks(SqlSession& session, const std::string& job_id);
// Nobody holds it any more; it may be leased again at `not_before`.
void free_task(SqlSession& session, const std::string& job_id, const jobs::Task& task,
               std::int64_t not_before, bool failed);

// Writes what may change of a job, all of it; the caller has locked it. Its version grows.
void write_job(SqlSession& session, jobs::Job& job);

void add_dead_letter(SqlSession& session, const std::string& job_id, const std::string& event_id,
                     const std::string& cause);
std::vector<std::string> names_from_text(const std::string& text);  // of a JSON array
// "render of segment 2"
std::string describe(jobs::TaskKind kind, int segment);
// Frames drawn of segments that are not finished.
int frames_under_way(SqlSession& session, const std::string& job_id);

}  // namespace pytoon::io
