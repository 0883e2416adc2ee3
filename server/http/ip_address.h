// Who is at the other end: IP addresses, networks of them, and the client behind a proxy.
//
// Thread rule: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pytoon::http {

// An IPv4 one is kept as IPv6 maps it (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const;
  bool operator==(const IpAddress&) const = default;
};

std::optional<IpAddress> ip_address_from(std::string_view text);
// Of the other end of a socket; nullopt when it can't be told.
std::optional<IpAddress> peer_of(int socket);
// What limits count by: an IPv4 address, or the /64 of an IPv6 one, of which a client has them all.
std::string client_name(const IpAddress& address);

// Addresses and networks: "10.0.0.0/8, 192.0.2.7, 2001:db8::/32". Empty: none.
class AddressSet {
 public:
  static Result<AddressSet> parse(std::string_view text);  // kInvalid

  bool contains(const IpAddress& address) const;

 private:
  struct Network {
    IpAddress address;
    unsigned bits = 128;
  };
  std::vector<Network> networks_;
};

// Who a request comes from: the peer, or, when that is a proxy of ours, the last address in
// X-Forwarded-For that is none. What stands before it was written by whoever sent it.
std::optional<IpAddress> client_of(const std::optional<IpAddress>& peer,
                                   std::string_view forwarded_for, const AddressSet& proxies);

}  // namespace pytoon::http
