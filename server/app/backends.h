// What an application stands on, opened from the configuration: the record and the storage. The
// only place that chooses among their kinds.
#pragma once

#include <memory>

#include "base/http_client.h"
#include "server/app/config.h"
#include "server/io/sql_store.h"
#include "server/jobs/object_store.h"

namespace pytoon::app {

// kConflict when another process owns the database and it is no server's.
Result<std::unique_ptr<io::SqlStore>> open_record(const Config& config, Clock& clock);
// alone: no other process shares the folder. web and clock must outlive the storage.
Result<std::unique_ptr<jobs::ObjectStore>> open_storage(const Config& config, bool alone,
                                                        HttpClient& web, Clock& clock);

// At a start: in a store that this process owns alone, whoever else holds a lease is dead, and what
// it held is free at once. In one that is shared nothing happens: there a lease runs out.
Status free_leases_of_the_dead(io::SqlStore& store, const std::string& worker_id);

// A key of this installation's own, made once and kept in its data folder, readable by its owner
// alone: in dev, where none was set.
Result<std::string> own_secret(const Config& config, const std::string& name,
                               const std::string& fresh);

}  // namespace pytoon::app
