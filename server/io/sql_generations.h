// What waits for inference endpoints (jobs/admission/generation_queue.h), from the tasks of a SQL
// database.
//
// Thread rule: any thread. Blocks for a round trip.
#pragma once

#include "server/io/sql.h"
#include "server/jobs/admission/generation_queue.h"

namespace pytoon::io {

class SqlGenerationQueue final : public jobs::admission::GenerationQueue {
 public:
  // The database, its schema up to date, must outlive the queue.
  explicit SqlGenerationQueue(SqlDatabase& database) : database_(database) {}

  Result<std::vector<jobs::admission::QueuedGeneration>> generations(const std::string& engine,
                                                                     int limit) override;

 private:
  SqlDatabase& database_;
};

}  // namespace pytoon::io
