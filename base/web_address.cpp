#include "base/web_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace pytoon {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

struct TextDeleter {
  void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, TextDeleter> owner(text);
  return text;
}

bool has_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(url, part, &text, 0);
  const std::unique_ptr<char, TextDeleter> owner(text);
  return code == CURLUE_OK;
}

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
constexpr int kLeastFreePort = 1024;

Result<WebAddress> judge(CURLU* url) {
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return wrong_url("must begin with http:// or https://");
  if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD)) {
    return wrong_url("must not carry a user or a password");
  }
  std::string host = part_of(url, CURLUPART_HOST);
  if (host.empty()) return wrong_url("names no host");
  // Letters of other scripts are mapped onto digits and dots by some resolvers.
  if (std::any_of(host.begin(), host.end(), [](char c) { return (c & 0x80) != 0; })) {
    return wrong_url("must write its host in ASCII (xn--...)");
  }
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  if (has_part(url, CURLUPART_ZONEID)) return wrong_url("must not name a network zone");
  const std::string port_text = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  int port = 0;
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port != 80 && port != 443 && port < kLeastFreePort) {
    return wrong_url("has port " + port_text + "; 80, 443 and those from 1024 are allowed");
  }
  const std::string origin = scheme + "://" + host + ":" + port_text;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  return WebAddress{part_of(url, CURLUPART_URL), origin, host};
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

Result<WebAddress> parse_web_address(const std::string& url) {
  if (url.size() > kMaxUrlBytes) return wrong_url("is too long");
  if (!is_plain(url)) return wrong_url("has blanks, backslashes or control characters");
  const UrlHandle handle(curl_url());
  if (curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
      CURLUE_OK) {
    return wrong_url("can't be read");
  }
  return judge(handle.get());
}

Result<WebAddress> resolve_link(const WebAddress& base, const std::string& link) {
  if (link.size() > kMaxUrlBytes) return wrong_url("is too long");
  if (!is_plain(link)) return wrong_url("has blanks, backslashes or control characters");
  const UrlHandle handle(curl_url());
  if (curl_url_set(handle.get(), CURLUPART_URL, base.url.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, link.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
          CURLUE_OK) {
    return wrong_url("can't be read");
  }
  return judge(handle.get());
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
