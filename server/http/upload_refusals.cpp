#include "server/http/upload_refusals.h"

namespace pytoon::http {
namespace {

RateLimit limit_of(int per_minute) {
  return {.per_second = per_minute / 60.0, .burst = static_cast<double>(per_minute)};
}

}  // namespace

std::optional<int> UploadRefusals::wait_seconds(const std::string& tenant, int per_minute) {
  const RateLimit limit = limit_of(per_minute);
  const std::lock_guard lock(mutex_);
  return bucket_of(tenant, limit).wait_seconds(limit, clock_.steady_now());
}

void UploadRefusals::add(const std::string& tenant, int per_minute) {
  const RateLimit limit = limit_of(per_minute);
  const std::lock_guard lock(mutex_);
  bucket_of(tenant, limit).take(limit, clock_.steady_now());
}

TokenBucket& UploadRefusals::bucket_of(const std::string& tenant, const RateLimit& limit) {
  return buckets_.try_emplace(tenant, limit, clock_.steady_now()).first->second;
}

}  // namespace pytoon::http
