#include "server/http/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pytoon::http {

double TokenBucket::filled(const RateLimit& limit, SteadyTime now) const {
  const std::chrono::duration<double> elapsed = now - filled_at_;
  return std::min(limit.burst, tokens_ + elapsed.count() * limit.per_second);
}

bool TokenBucket::is_full(const RateLimit& limit, SteadyTime now) const {
  return filled(limit, now) >= limit.burst;
}

std::optional<int> TokenBucket::take(const RateLimit& limit, SteadyTime now) {
  tokens_ = filled(limit, now);
  filled_at_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return std::nullopt;
  }
  const double wait_seconds = (1 - tokens_) / limit.per_second;
  return static_cast<int>(std::clamp(std::ceil(wait_seconds), 1.0, 3600.0));
}

RateLimiter::RateLimiter(const Clock& clock, RateLimit limit, std::size_t keys)
    : clock_(clock), limit_(limit), buckets_(keys, TokenBucket(limit, clock.steady_now())) {
  CHECK(limit.per_second > 0 && limit.burst >= 1, "a rate limit that lets nothing through");
}

std::optional<int> RateLimiter::take(std::size_t key_index) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  return buckets_.at(key_index).take(limit_, now);
}

}  // namespace pytoon::http
