#include "server/http/address_limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

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

std::string peer_address(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(peer);
    return ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  }
  if (peer.ss_family != AF_INET6) return "";
  in6_addr six = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  constexpr std::size_t kNetworkBytes = 8;
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    return ::inet_ntop(AF_INET, &six.s6_addr[12], text.data(), text.size());
  }
  std::fill(std::begin(six.s6_addr) + kNetworkBytes, std::end(six.s6_addr), std::uint8_t{0});
  return ::inet_ntop(AF_INET6, &six, text.data(), text.size());
}

}  // namespace pytoon::http
