// SqlStore: what is named no more, and what may be forgotten.
#include "server/io/sql_writing.h"

namespace pytoon::io {

Result<std::vector<std::string>> SqlStore::unreferenced(const std::vector<std::string>& keys) {
  return reading([&](SqlSession& session) -> Result<std::vector<std::string>> {
    std::vector<std::string> found;
    for (const std::string& key : keys) {
      const bool named =
          !session
               .query(
                   "SELECT 1 FROM segments WHERE artifact_key = ? AND artifact_key <> '' UNION ALL "
                   "SELECT 1 FROM segments WHERE footage_key = ? AND footage_key <> '' UNION ALL "
                   "SELECT 1 FROM jobs WHERE audio_key = ? AND audio_key <> '' LIMIT 1",
                   {key, key, key})
               .empty();
      if (!named) found.push_back(key);
    }
    return found;
  });
}

Result<std::int64_t> SqlStore::purge_events(std::chrono::hours age) {
  return writing("purge_events", [&](SqlSession& session) -> Result<std::int64_t> {
    return session.run("DELETE FROM outbox WHERE state <> 'pending' AND due_at < ?",
                       {session.now() - micros(age)});
  });
}

Result<std::int64_t> SqlStore::purge_purchases(std::chrono::hours age) {
  return writing("purge_purchases", [&](SqlSession& session) -> Result<std::int64_t> {
    const std::int64_t before = session.now() - micros(age);
    const std::int64_t forgotten = session.run(
        "DELETE FROM purchases WHERE reserved_at < ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE "
        "jobs.id = purchases.job_id AND status IN ('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', "
        "'ASSEMBLING'))",
        {before});
    session.run("DELETE FROM spend WHERE changed_at < ?", {before});
    return forgotten;
  });
}

}  // namespace pytoon::io
