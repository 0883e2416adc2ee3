// A token bucket per API key. A bucket starts full, holds `burst` tokens and gains `per_second`;
// a request takes one or is told how long to wait.
//
// Thread rule: any thread; one short lock. Per process: several API processes each allow the rate.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pytoon::http {

struct RateLimit {
  double per_second = 200;
  double burst = 1000;
};

class TokenBucket {
 public:
  TokenBucket(const RateLimit& limit, SteadyTime now) : tokens_(limit.burst), filled_at_(now) {}

  // As RateLimiter::take().
  std::optional<int> take(const RateLimit& limit, SteadyTime now);
  // nullopt when there is a token, else the whole seconds until there is one (at least 1).
  std::optional<int> wait_seconds(const RateLimit& limit, SteadyTime now) const;
  bool is_full(const RateLimit& limit, SteadyTime now) const;
  double filled(const RateLimit& limit, SteadyTime now) const;

 private:
  double tokens_;
  SteadyTime filled_at_;
};

class RateLimiter {
 public:
  RateLimiter(const Clock& clock, RateLimit limit, std::size_t keys)
      : RateLimiter(clock, std::vector<RateLimit>(keys, limit)) {}
  // One key each.
  RateLimiter(const Clock& clock, std::vector<RateLimit> limits);

  // nullopt when the request may go on, else the whole seconds until the next token (at least 1).
  std::optional<int> take(std::size_t key_index);
  // RateLimit-Policy and RateLimit of the key as it is now (sections 3 and 4 of
  // draft-ietf-httpapi-ratelimit-headers-10): q requests in w seconds; r are left, and in t seconds
  // all are back, or one is where none is left.
  std::string policy(std::size_t key_index, const std::string& plan) const;
  std::string state(std::size_t key_index, const std::string& plan);

 private:
  const Clock& clock_;
  const std::vector<RateLimit> limits_;
  std::mutex mutex_;
  std::vector<TokenBucket> buckets_;
};

}  // namespace pytoon::http
