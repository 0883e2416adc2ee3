// Reading who is there, for all files of SqlStore.
//
// Thread rule: as its session.
#pragma once

#include <chrono>
#include <vector>

#include "server/io/sql.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::io {

// Those seen within that time, oldest first, each with the number of its leases.
std::vector<jobs::WorkerInfo> read_workers(SqlSession& session,
                                           std::chrono::milliseconds seen_within);

}  // namespace pytoon::io
