// A token bucket per client address, for what a client without a key may do wrong. Buckets start
// full; those that are full again are forgotten, and when too many addresses are remembered all
// others share one.
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

// Whom the socket is connected to: an IPv4 address, or the /64 of an IPv6 one, of which a client
// has them all. "" when it can't be told.
std::string peer_address(int socket);

}  // namespace pytoon::http
