// Where a request may go: strict URLs, and which addresses of the network count as public.
//
// A URL is http or https, without user or password, without control characters or blanks, its port
// 80, 443 or at least 1024. Host names are judged by the address that is really connected to, so
// no spelling of an address (decimal, octal, hex, short, mapped) and no name that resolves to one
// gets past. Sources: IANA special-purpose address registries (RFC 6890 and later), RFC 6052
// (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
//
// Thread rule: pure functions; none resolves a name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace pytoon {

// Which addresses a request may connect to.
enum class EgressScope {
  kPublic,   // only the public internet: for what outsiders name (webhooks, links in answers)
  kPrivate,  // only this machine and private networks: for engines that count as local
  kAny,      // wherever the operator's configuration points
};

struct WebAddress {
  std::string url;     // normalised
  std::string origin;  // scheme://host:port, port always written
  std::string host;    // without brackets; numbers of any spelling as dotted quads
};

// kInvalid saying what is wrong with the URL, without repeating it: it may hold a secret.
Result<WebAddress> parse_web_address(const std::string& url);
// A link found in a document that came from `base`: absolute, or relative to it.
Result<WebAddress> resolve_link(const WebAddress& base, const std::string& link);

// What paths are put behind: the URL without the slashes at its end.
std::string without_end_slashes(std::string url);

// An address of the network layer: 4 or 16 bytes in network order.
struct IpAddress {
  bool six = false;
  std::array<std::uint8_t, 16> bytes{};
};

// Digits in the canonical spellings; nullopt for a name.
std::optional<IpAddress> read_ip(const std::string& text);
std::string ip_text(const IpAddress& address);

// Special-purpose addresses of every kind are not public: loopback, private, link-local (the
// clouds' metadata services), shared, mapped, NAT64, 6to4, Teredo, documentation, multicast.
bool is_public(const IpAddress& address);
// Loopback, RFC 1918, shared (RFC 6598) and unique local (RFC 4193) ones; not link-local.
bool is_private_network(const IpAddress& address);
bool may_reach(EgressScope egress, const IpAddress& address);
// The host is written as an address, or is "localhost", and lies on this machine or in a private
// network: whoever wrote it knew.
bool names_private_network(const WebAddress& address);

}  // namespace pytoon
