// The turns that a job takes in the store: what follows a piece of work, a new run, a row of
// crashes, an end. Each works on a job that the caller has locked and leaves it written.
//
// Thread rule: as its session.
#pragma once

#include <string>
#include <vector>

#include "server/io/sql_records.h"

namespace pytoon::io {

// Adds the tasks that follow, brings status and progress up to date, writes the job.
void settle(SqlSession& session, jobs::Job& job);
// Ends the job; triggers remove its tasks and tell its webhook.
void end_job(SqlSession& session, jobs::Job& job, jobs::JobStatus end, const std::string& error);
// A new run in which these segments are made anew; who works on the job loses its lease. Audio is
// made again when `audio` says so or when it was still to be made.
void begin_run(SqlSession& session, jobs::Job& job, const std::vector<jobs::Segment>& segments,
               bool audio);
// Every segment becomes card footage in a new run; a dead letter keeps the cause.
void quarantine(SqlSession& session, jobs::Job& job, const std::string& cause);
// Counts crashes of a job in a row and does what follows from them.
jobs::CrashVerdict count_crashes(SqlSession& session, jobs::Job& job, int crashes,
                                 const std::string& cause);

}  // namespace pytoon::io
