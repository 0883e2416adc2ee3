// A token bucket per client (client_name(), ip_address.h), for what a client without a key may do
// wrong. Buckets start full; those that are full again are forgotten, and when too many addresses
// are remembered all others share one.
//
// Thread rule: any thread; one short lock. Per process.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "server/http/rate_limiter.h"

namespace pytoon::http {

class AddressLimiter {
 public:
  AddressLimiter(const Clock& clock, RateLimit limit);

  // nullopt when it may go on, else the whole seconds until the next token (at least 1).
  std::optional<int> take(const std::string& address);
  std::size_t remembered() const;

 private:
  void forget_full(SteadyTime now);  // with the lock held

  const Clock& clock_;
  const RateLimit limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, TokenBucket> buckets_;
  SteadyTime forget_again_at_;
};

}  // namespace pytoon::http
