#include "server/http/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pytoon::http {
namespace {

std::string whole(double number) { return std::to_string(static_cast<std::int64_t>(number)); }

}  // namespace

double TokenBucket::filled(const RateLimit& limit, SteadyTime now) const {
  const std::chrono::duration<double> elapsed = now - filled_at_;
  return std::min(limit.burst, tokens_ + elapsed.count() * limit.per_second);
}

bool TokenBucket::is_full(const RateLimit& limit, SteadyTime now) const {
  return filled(limit, now) >= limit.burst;
}

std::optional<int> TokenBucket::take(const RateLimit& limit, SteadyTime now) {
  const auto wait = wait_seconds(limit, now);
  tokens_ = filled(limit, now) - (wait ? 0 : 1);
  filled_at_ = now;
  return wait;
}

std::optional<int> TokenBucket::wait_seconds(const RateLimit& limit, SteadyTime now) const {
  const double tokens = filled(limit, now);
  if (tokens >= 1) return std::nullopt;
  const double seconds = (1 - tokens) / limit.per_second;
  return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, 3600.0));
}

RateLimiter::RateLimiter(const Clock& clock, std::vector<RateLimit> limits)
    : clock_(clock), limits_(std::move(limits)) {
  for (const RateLimit& limit : limits_) {
    CHECK(limit.per_second > 0 && limit.burst >= 1, "a rate limit that lets nothing through");
    buckets_.emplace_back(limit, clock.steady_now());
  }
}

std::optional<int> RateLimiter::take(std::size_t key_index) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  return buckets_.at(key_index).take(limits_.at(key_index), now);
}

std::string RateLimiter::policy(std::size_t key_index, const std::string& plan) const {
  const RateLimit& limit = limits_.at(key_index);
  return '"' + plan + "\";q=" + whole(std::floor(limit.burst)) +
         ";w=" + whole(std::ceil(limit.burst / limit.per_second));
}

std::string RateLimiter::state(std::size_t key_index, const std::string& plan) {
  const RateLimit& limit = limits_.at(key_index);
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  const double left = buckets_.at(key_index).filled(limit, now);
  const double missing = left < 1 ? 1 - left : limit.burst - left;
  return '"' + plan + "\";r=" + whole(std::floor(left)) +
         ";t=" + whole(std::ceil(missing / limit.per_second));
}

}  // namespace pytoon::http
