#include "server/io/sql_generations.h"

#include "engines/engine.h"
#include "server/io/sql_records.h"
#include "server/io/sql_transaction.h"

namespace pytoon::io {

using jobs::admission::QueuedGeneration;

Result<std::vector<QueuedGeneration>> SqlGenerationQueue::generations(const std::string& engine,
                                                                      int limit) {
  return read_from(database_, [&](SqlSession& session) -> Result<std::vector<QueuedGeneration>> {
    std::vector<QueuedGeneration> queued;
    const Rows rows = session.query(
        "SELECT t.job_id, j.run, t.segment, t.priority, j.created_at FROM tasks t "
        "JOIN jobs j ON j.id = t.job_id WHERE t.kind = 'footage' AND t.engine = ? "
        "ORDER BY t.priority DESC, t.seq, t.segment LIMIT ?",
        {engine, std::int64_t{limit}});
    for (const Row& row : rows) {
      engines::FootageRequest request;  // whose key is the task's name
      request.job_id = row.text(0);
      request.run = row.small(1);
      request.segment = row.small(2);
      queued.push_back({request.key(), row.small(3), time_from(row.integer(4)), {}});
    }
    return queued;
  });
}

}  // namespace pytoon::io
