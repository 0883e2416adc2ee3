// How a function that gives a Result becomes one transaction of a database. In read_from() each
// query sees what was committed before it, so two of them may see different states. write_to()
// commits when the Result is good and rolls back when it is a Failure. The function must be
// repeatable: PostgreSQL's is run again after a lost turn (serialization failure, deadlock) and on
// a new connection.
//
// A DatabaseError that leaves the function, or a commit that fails, becomes a Failure of its kind;
// kUnavailable may mean that the commit happened and its answer was lost.
//
// Thread rule: as the database; blocks for milliseconds on it, and on SQLite for its one writer.
#pragma once

#include <optional>
#include <utility>

#include "server/io/sql.h"

namespace pytoon::io {

template <typename Work>
auto read_from(SqlDatabase& database, const Work& work)
    -> decltype(work(std::declval<SqlSession&>())) {
  std::optional<decltype(work(std::declval<SqlSession&>()))> outcome;
  try {
    database.read([&](SqlSession& session) { outcome.emplace(work(session)); });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  return std::move(*outcome);
}

template <typename Work>
auto write_to(SqlDatabase& database, const Work& work)
    -> decltype(work(std::declval<SqlSession&>())) {
  std::optional<decltype(work(std::declval<SqlSession&>()))> outcome;
  try {
    database.write([&](SqlSession& session) {
      outcome.emplace(work(session));
      return outcome->ok();
    });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  return std::move(*outcome);
}

}  // namespace pytoon::io
