#include "server/io/sql_store.h"

#include "server/io/sql_writing.h"

namespace pytoon::io {

void SqlStore::at_crash_point(std::string_view name, const char* point) const {
  if (options_.crash_point) options_.crash_point(std::string(name) + "." + point);
}

// Most who ask are too early: they cost a look, not a write.
Result<bool> SqlStore::take_turn(std::string_view name, const std::string& table,
                                 const std::string& column, std::chrono::milliseconds pause) {
  const std::string due = " WHERE " + column + " <= ?";
  const Result<bool> looked = reading([&](SqlSession& session) -> Result<bool> {
    return !session.query("SELECT 1 FROM " + table + due, {session.now()}).empty();
  });
  if (!looked || !*looked) return looked;
  return writing(name, [&](SqlSession& session) -> Result<bool> {
    const std::int64_t now = session.now();
    return session.run("UPDATE " + table + " SET " + column + " = ?" + due,
                       {now + micros(pause), now}) == 1;
  });
}

}  // namespace pytoon::io
