#include "server/http/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace pytoon::http {
namespace {

constexpr std::size_t kV4At = 12;  // where the four bytes stand in the sixteen
constexpr unsigned kV4Bits = kV4At * 8;
constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 client

IpAddress mapped(const in_addr& four) {
  IpAddress address;
  address.bytes[kV4At - 2] = 0xff;
  address.bytes[kV4At - 1] = 0xff;
  std::memcpy(&address.bytes[kV4At], &four, sizeof four);
  return address;
}

IpAddress of(const in6_addr& six) {
  IpAddress address;
  std::memcpy(address.bytes.data(), &six, sizeof six);
  return address;
}

bool same_network(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest) == 0;
}

// Proxies write a port behind an address, some of them: "192.0.2.7:4711", "[2001:db8::1]:4711".
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, std::min(text.find(']'), text.size()) - 1);
  const std::size_t colon = text.find(':');
  const bool only_one = colon != std::string_view::npos && text.rfind(':') == colon;
  return only_one ? text.substr(0, colon) : text;
}

}  // namespace

bool IpAddress::is_v4() const { return same_network(*this, mapped(in_addr{}), kV4Bits); }

std::optional<IpAddress> ip_address_from(std::string_view text) {
  const std::string terminated(text);
  in_addr four{};
  if (::inet_pton(AF_INET, terminated.c_str(), &four) == 1) return mapped(four);
  in6_addr six{};
  if (::inet_pton(AF_INET6, terminated.c_str(), &six) == 1) return of(six);
  return std::nullopt;
}

std::optional<IpAddress> peer_of(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
  if (peer.ss_family == AF_INET) return mapped(reinterpret_cast<sockaddr_in&>(peer).sin_addr);
  if (peer.ss_family == AF_INET6) return of(reinterpret_cast<sockaddr_in6&>(peer).sin6_addr);
  return std::nullopt;
}

std::string client_name(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.is_v4()) {
    return ::inet_ntop(AF_INET, &address.bytes[kV4At], text.data(), text.size());
  }
  IpAddress network = address;
  std::fill(network.bytes.begin() + kNetworkBytes, network.bytes.end(), std::uint8_t{0});
  return ::inet_ntop(AF_INET6, network.bytes.data(), text.data(), text.size());
}

Result<AddressSet> AddressSet::parse(std::string_view text) {
  AddressSet set;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (one.empty()) continue;
    const std::size_t slash = one.find('/');
    const auto address = ip_address_from(one.substr(0, slash));
    const unsigned bits_max = address && address->is_v4() ? 32 : 128;
    const auto bits = slash == std::string_view::npos ? bits_max : decimal(one.substr(slash + 1));
    if (!address || !bits || *bits > bits_max) {
      return failure(FailureKind::kInvalid,
                     "'" + std::string(one) + "' is no IP address or network");
    }
    const auto own = static_cast<unsigned>(*bits);
    set.networks_.push_back({*address, address->is_v4() ? own + kV4Bits : own});
  }
  return set;
}

bool AddressSet::contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return same_network(network.address, address, network.bits);
  });
}

std::optional<IpAddress> client_of(const std::optional<IpAddress>& peer,
                                   std::string_view forwarded_for, const AddressSet& proxies) {
  std::optional<IpAddress> client = peer;
  while (client && proxies.contains(*client) && !forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    const auto before = ip_address_from(without_port(trim(forwarded_for.substr(begin))));
    if (!before) break;  // nobody of ours wrote that
    client = before;
    forwarded_for = forwarded_for.substr(0, begin == 0 ? 0 : comma);
  }
  return client;
}

}  // namespace pytoon::http
