#include "base/web_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/url.h"

namespace pytoon {
namespace {

Failure wrong_url(const std::string& why) {
  return failure(FailureKind::kInvalid, "the URL " + why);
}

bool is_plain(const std::string& url) {
  return std::all_of(url.begin(), url.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && byte != '\\';
  });
}

constexpr std::size_t kMaxUrlBytes = 8192;
constexpr unsigned long long kLeastFreePort = 1024;

Result<WebAddress> judge(const Result<UrlParts>& url) {
  if (!url) return wrong_url("can't be read");
  if (url->scheme != "http" && url->scheme != "https") {
    return wrong_url("must begin with http:// or https://");
  }
  if (url->user || url->password) return wrong_url("must not carry a user or a password");
  // Letters of other scripts are mapped onto digits and dots by some resolvers.
  if (std::any_of(url->host.begin(), url->host.end(), [](char c) { return (c & 0x80) != 0; })) {
    return wrong_url("must write its host in ASCII (xn--...)");
  }
  if (url->zone) return wrong_url("must not name a network zone");
  const std::string standard_port = url->scheme == "http" ? "80" : "443";
  const std::string port = url->port.empty() ? standard_port : url->port;
  const auto number = decimal(port).value_or(0);
  if (number != 80 && number != 443 && number < kLeastFreePort) {
    return wrong_url("has port " + port + "; 80, 443 and those from 1024 are allowed");
  }
  const std::string host = lower_case(url->host);
  const bool six = host.find(':') != std::string::npos;
  const std::string origin = url->scheme + "://" + (six ? "[" + host + "]" : host) + ":" + port;
  return WebAddress{url->text, origin, host};
}

Status check_characters(const std::string& url) {
  if (url.size() > kMaxUrlBytes) return wrong_url("is too long");
  if (!is_plain(url)) return wrong_url("has blanks, backslashes or control characters");
  return ok_status();
}

struct Range4 {
  std::uint32_t base;
  int bits;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

constexpr std::array kPrivate4{Range4{quad(10, 0, 0, 0), 8}, Range4{quad(100, 64, 0, 0), 10},
                               Range4{quad(127, 0, 0, 0), 8}, Range4{quad(172, 16, 0, 0), 12},
                               Range4{quad(192, 168, 0, 0), 16}};
constexpr std::array kSpecial4{Range4{quad(0, 0, 0, 0), 8},       Range4{quad(169, 254, 0, 0), 16},
                               Range4{quad(192, 0, 0, 0), 24},    Range4{quad(192, 0, 2, 0), 24},
                               Range4{quad(192, 88, 99, 0), 24},  Range4{quad(198, 18, 0, 0), 15},
                               Range4{quad(198, 51, 100, 0), 24}, Range4{quad(203, 0, 113, 0), 24},
                               Range4{quad(224, 0, 0, 0), 3}};

template <std::size_t N>
bool within(std::uint32_t address, const std::array<Range4, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [address](const Range4& range) {
    return (address ^ range.base) >> (32 - range.bits) == 0;
  });
}

std::uint32_t bytes4(const std::uint8_t* bytes) {
  return quad(bytes[0], bytes[1], bytes[2], bytes[3]);
}

// An IPv4 address in IPv6 clothes (::ffff:a.b.c.d).
bool is_mapped(const IpAddress& address) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.six && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

bool is_loopback6(const std::array<std::uint8_t, 16>& six) {
  return six[15] == 1 && std::all_of(six.begin(), six.end() - 1, [](auto byte) { return !byte; });
}

// Global unicast is 2000::/3; within it, tunnels that carry an IPv4 address and what is reserved.
bool is_public6(const std::array<std::uint8_t, 16>& six) {
  if (six[0] >> 5 != 1) return false;
  const int head = six[0] << 8 | six[1];
  const int next = six[2] << 8 | six[3];
  if (head == 0x2002) return false;                    // 6to4
  if (head == 0x2001 && next < 0x0200) return false;   // Teredo, benchmarking, ORCHID
  if (head == 0x2001 && next == 0x0db8) return false;  // documentation
  return !(head == 0x3fff && six[2] >> 4 == 0);        // documentation (RFC 9637)
}

}  // namespace

std::string without_end_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<WebAddress> parse_web_address(const std::string& url) {
  if (Status clean = check_characters(url); !clean) return clean.failure();
  return judge(split_url(url));
}

Result<WebAddress> resolve_link(const WebAddress& base, const std::string& link) {
  if (Status clean = check_characters(link); !clean) return clean.failure();
  return judge(resolve_url(base.url, link));
}

std::optional<IpAddress> read_ip(const std::string& text) {
  IpAddress address;
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.six = true;
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string ip_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.six ? AF_INET6 : AF_INET;
  ::inet_ntop(family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

// A mapped address is never a public one: nobody honest writes it.
bool is_public(const IpAddress& address) {
  if (address.six) return is_public6(address.bytes);
  const std::uint32_t four = bytes4(address.bytes.data());
  return !within(four, kPrivate4) && !within(four, kSpecial4);
}

bool is_private_network(const IpAddress& address) {
  if (is_mapped(address)) return within(bytes4(&address.bytes[12]), kPrivate4);
  if (!address.six) return within(bytes4(address.bytes.data()), kPrivate4);
  return is_loopback6(address.bytes) || (address.bytes[0] & 0xfe) == 0xfc;
}

bool may_reach(EgressScope egress, const IpAddress& address) {
  switch (egress) {
    case EgressScope::kPublic:
      return is_public(address);
    case EgressScope::kPrivate:
      return is_private_network(address);
    case EgressScope::kAny:
      return true;
  }
  return false;
}

bool names_private_network(const WebAddress& address) {
  if (address.host == "localhost") return true;
  const std::optional<IpAddress> ip = read_ip(address.host);
  return ip && is_private_network(*ip);
}

}  // namespace pytoon
