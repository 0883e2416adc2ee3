// How a method of SqlStore becomes a transaction. Only for the files that implement it.
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
