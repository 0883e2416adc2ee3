// A token bucket per tenant of uploads that were read and refused. Finding out that a file is no
// image, clip or sound is work for a core, so whoever sends such files without end is told to
// wait before the next one is read. Buckets start full: a minute's worth at once.
//
// Thread rule: any thread; one short lock. Per process, like the rates of keys.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "server/http/rate_limiter.h"

namespace pytoon::http {

class UploadRefusals {
 public:
  explicit UploadRefusals(const Clock& clock) : clock_(clock) {}

  // nullopt when the tenant may upload, else the whole seconds until it may (at least 1).
  std::optional<int> wait_seconds(const std::string& tenant, int per_minute);
  // One more was refused.
  void add(const std::string& tenant, int per_minute);

 private:
  TokenBucket& bucket_of(const std::string& tenant, const RateLimit& limit);  // with the lock held

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, TokenBucket> buckets_;  // of tenants that have a key: they are few
};

}  // namespace pytoon::http
