// What a deletion did: counts, as values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace pytoon::jobs {

// What was deleted, by kind of object or row; kinds of which there was nothing are absent.
using DeletedCounts = std::map<std::string, std::int64_t, std::less<>>;

// Rows of a tenant.
struct TenantRows {
  std::int64_t jobs = 0;
  std::int64_t assets = 0;
  std::int64_t idempotency_records = 0;
  std::int64_t deletions = 0;  // decided, but not carried out
};

// One call of Service::purge_tenant(): what it did, and what was still there after it.
struct Purged {
  std::int64_t jobs_cancelled = 0;
  DeletedCounts deleted;
  TenantRows rows_left;
  std::int64_t objects_left = 0;  // uploads in the tenant's folder
  bool complete() const {
    return rows_left.jobs + rows_left.assets + rows_left.idempotency_records + rows_left.deletions +
               objects_left ==
           0;
  }
};

}  // namespace pytoon::jobs
