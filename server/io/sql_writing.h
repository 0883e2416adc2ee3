// How a method of SqlStore becomes one transaction of its database. Only for the files that
// implement it.
//
// The function is called with a session and gives a Result. In reading() each query sees what was
// committed before it, so two of them may see different states. writing() commits when the Result
// is good and rolls back when it is a Failure; the function must be repeatable, since PostgreSQL's
// is run again after a lost turn (serialization failure, deadlock) and on a new connection.
// held_writing() locks the job's row first and refuses (kConflict) when the lease is not held any
// more: this is the fence.
//
// A DatabaseError that leaves the function, or a commit that fails, becomes a Failure of its kind;
// kUnavailable may mean that the commit happened and its answer was lost. The names are crash
// points of tests/chaos, before and after the commit.
//
// Thread rule: as SqlStore: any thread; blocks for milliseconds on the database, and on SQLite for
// its one writer.
#pragma once

#include <optional>

#include "server/io/sql_records.h"
#include "server/io/sql_store.h"

namespace pytoon::io {

template <typename Work>
auto SqlStore::reading(const Work& work) -> decltype(work(std::declval<SqlSession&>())) {
  using Outcome = decltype(work(std::declval<SqlSession&>()));
  std::optional<Outcome> outcome;
  try {
    database_->read([&](SqlSession& session) { outcome.emplace(work(session)); });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  return std::move(*outcome);
}

template <typename Work>
auto SqlStore::writing(std::string_view name, const Work& work)
    -> decltype(work(std::declval<SqlSession&>())) {
  using Outcome = decltype(work(std::declval<SqlSession&>()));
  std::optional<Outcome> outcome;
  try {
    database_->write([&](SqlSession& session) {
      outcome.emplace(work(session));
      if (outcome->ok()) at_crash_point(name, "before_commit");
      return outcome->ok();
    });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  if (outcome->ok()) at_crash_point(name, "after_commit");
  return std::move(*outcome);
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
