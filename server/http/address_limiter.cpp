#include "server/http/address_limiter.h"

namespace pytoon::http {
namespace {

constexpr std::size_t kAddressesMax = 10'000;
// To look at them all takes a millisecond, which a crowd of guessers must not cost at each guess.
constexpr std::chrono::seconds kBetweenForgetting{1};

}  // namespace

AddressLimiter::AddressLimiter(const Clock& clock, RateLimit limit)
    : clock_(clock), limit_(limit) {}

std::optional<int> AddressLimiter::take(const std::string& address) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kAddressesMax && now >= forget_again_at_) forget_full(now);
  const bool room = buckets_.size() < kAddressesMax || buckets_.contains(address);
  auto [bucket, added] = buckets_.try_emplace(room ? address : "", limit_, now);
  return bucket->second.take(limit_, now);
}

std::size_t AddressLimiter::remembered() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

void AddressLimiter::forget_full(SteadyTime now) {
  std::erase_if(buckets_, [&](const auto& one) { return one.second.is_full(limit_, now); });
  forget_again_at_ = now + kBetweenForgetting;
}

}  // namespace pytoon::http
