// The queue of deletions as the statements of one transaction. Only for the files that implement
// SqlStore.
#pragma once

#include <chrono>
#include <string>

#include "server/io/sql_writing.h"

namespace pytoon::io {

// Whoever queues a deletion carries it out within this time, or another one does.
inline constexpr std::chrono::minutes kDeletionLease{15};

// False when it is queued already. Due after `delay`. tenant: whose it is; "" when no row says so.
bool queue_deletion(SqlSession& session, const std::string& key, const std::string& tenant,
                    std::chrono::milliseconds delay);
void unqueue_deletion(SqlSession& session, const std::string& key);

}  // namespace pytoon::io
