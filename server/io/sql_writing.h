// How a method of SqlStore becomes one transaction of its database (sql_transaction.h). Only for
// the files that implement it. The names are crash points of tests/chaos, before and after the
// commit. held_writing() locks the job's row first and refuses (kConflict) when the lease is not
// held any more: this is the fence.
//
// Thread rule: as SqlStore: any thread; blocks for milliseconds on the database, and on SQLite for
// its one writer.
#pragma once

#include "server/io/sql_records.h"
#include "server/io/sql_store.h"
#include "server/io/sql_transaction.h"

namespace pytoon::io {

template <typename Work>
auto SqlStore::reading(const Work& work) -> decltype(work(std::declval<SqlSession&>())) {
  return read_from(*database_, work);
}

template <typename Work>
auto SqlStore::writing(std::string_view name, const Work& work)
    -> decltype(work(std::declval<SqlSession&>())) {
  auto outcome = write_to(*database_, [&](SqlSession& session) {
    auto result = work(session);
    if (result.ok()) at_crash_point(name, "before_commit");
    return result;
  });
  if (outcome.ok()) at_crash_point(name, "after_commit");
  return outcome;
}

template <typename Work>
Status SqlStore::held_writing(std::string_view name, const jobs::Lease& lease, const Work& work) {
  return writing(name, [&](SqlSession& session) -> Status {
    Result<jobs::Job> job = lock_held_job(session, lease);
    if (!job) return job.failure();
    return work(session, *job);
  });
}

}  // namespace pytoon::io
