// What every JobStore says the same way: its failures, and the small rules that are no database's
// business. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "server/jobs/job_store.h"
#include "server/jobs/task_store.h"

namespace pytoon::jobs {

Failure no_such_job(const std::string& id);
Failure no_such_asset(const std::string& key);
Failure lease_lost(const Lease& lease);
Failure queue_full(std::int64_t queued_max);
// The answer to a key seen before.
Result<Submitted> replay(const Receipt& receipt, const std::string& body_sha256);
// A cursor is the sequence number of the last job of a page; "" is past the newest.
Result<std::int64_t> cursor_from_text(const std::string& cursor);

}  // namespace pytoon::jobs
