#include "server/http/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pytoon::http {

RateLimiter::RateLimiter(const Clock& clock, RateLimit limit, std::size_t keys)
    : clock_(clock), limit_(limit), buckets_(keys, Bucket{limit.burst, clock.steady_now()}) {
  CHECK(limit.per_second > 0 && limit.burst >= 1, "a rate limit that lets nothing through");
}

std::optional<int> RateLimiter::take(std::size_t key_index) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  Bucket& bucket = buckets_.at(key_index);
  const std::chrono::duration<double> elapsed = now - bucket.filled_at;
  bucket.tokens = std::min(limit_.burst, bucket.tokens + elapsed.count() * limit_.per_second);
  bucket.filled_at = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double wait_seconds = (1 - bucket.tokens) / limit_.per_second;
  return static_cast<int>(std::clamp(std::ceil(wait_seconds), 1.0, 3600.0));
}

}  // namespace pytoon::http
