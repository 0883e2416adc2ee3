#include "base/web_address.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <vector>

namespace pytoon {

class Spelling : public testing::TestWithParam<const char*> {};

// What a URL's host becomes is an address that may not be reached from outside.
TEST_P(Spelling, OfAnInnerAddressIsSeenThrough) {
  const Result<WebAddress> address = parse_web_address(GetParam());
  if (!address) return;  // refused outright
  const std::optional<IpAddress> ip = read_ip(address->host);
  ASSERT_TRUE(ip) << address->host;
  EXPECT_FALSE(may_reach(EgressScope::kPublic, *ip)) << address->host;
}

INSTANTIATE_TEST_SUITE_P(
    F3, Spelling,
    testing::Values("http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/",
                    "http://017700000001/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/",
                    "http://127.0.1/", "http://0/", "http://0.0.0.0/", "http://[::]/",
                    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
                    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::a00:1]/",
                    "http://[2002:7f00:1::]/", "http://[2001:0:1::1]/", "http://[fe80::1]/",
                    "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
                    "http://[ff02::1]/", "http://169.254.169.254/latest/meta-data/",
                    "http://0xa9fea9fe/", "http://2852039166/", "http://10.0.0.1/",
                    "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
                    "http://100.64.0.1/", "http://100.100.100.200/", "http://192.0.0.192/",
                    "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
                    "http://240.0.0.1/", "http://192.0.2.1/", "http://198.51.100.7/",
                    "http://203.0.113.9/", "http://[2001:db8::1]/", "http://[100::1]/",
                    "http://[::127.0.0.1]/", "http://[3fff::1]/", "http://[5f00::1]/"));

class Refused : public testing::TestWithParam<std::string> {};

TEST_P(Refused, IsNoAddressOfOurs) {
  const Result<WebAddress> address = parse_web_address(GetParam());
  ASSERT_FALSE(address) << address->url;
  EXPECT_EQ(address.failure().kind, FailureKind::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(
    F3, Refused,
    testing::Values("", "example.com:x", "ftp://example.com/", "file:///etc/passwd",
                    "gopher://example.com/", "javascript:alert(1)", "data:text/plain,x",
                    "dict://example.com:11211/", "ldap://example.com/", "http://",
                    "http://user@example.com/", "http://user:secret@example.com/",
                    "http://@example.com/", "http://example.com@127.0.0.1/",
                    "http://example.com\\@127.0.0.1/", "http://exa mple.com/",
                    "http://example.com/\r\nX-Evil: 1", "http://example.com/\n",
                    "http://example.com\t/", std::string("http://example.com/\0", 20),
                    "http://example.com:22/", "http://example.com:25/", "http://example.com:0/",
                    "http://example.com:99999/", "http://[::1/", "http://１２７.0.0.1/",
                    "http://127。0。0。1/", "http://[fe80::1%25eth0]/",
                    "http://example.com/" + std::string(9000, 'a')));

// The ways to write one IPv4 address as the host of a URL.
std::vector<std::string> spellings(std::uint32_t ip) {
  const auto byte = [ip](int i) { return ip >> (24 - 8 * i) & 255; };
  std::array<char, 512> text{};
  std::vector<std::string> hosts;
  const auto add = [&text, &hosts](auto... values) {
    std::snprintf(text.data(), text.size(), values...);
    hosts.emplace_back(text.data());
  };
  add("%u.%u.%u.%u", byte(0), byte(1), byte(2), byte(3));
  add("%u", ip);
  add("0x%x", ip);
  add("0X%08X", ip);
  add("0%o", ip);
  add("0%o.0%o.0%o.0%o", byte(0), byte(1), byte(2), byte(3));
  add("0x%x.0x%x.0x%x.0x%x", byte(0), byte(1), byte(2), byte(3));
  add("%u.%u", byte(0), ip & 0xffffff);
  add("%u.%u.%u", byte(0), byte(1), ip & 0xffff);
  add("0x%x.%u.0%o", byte(0), byte(1), ip & 0xffff);
  add("[::ffff:%u.%u.%u.%u]", byte(0), byte(1), byte(2), byte(3));
  add("[::ffff:%x:%x]", ip >> 16, ip & 0xffff);
  add("[::%x:%x]", ip >> 16, ip & 0xffff);
  add("[64:ff9b::%x:%x]", ip >> 16, ip & 0xffff);
  add("[2002:%x:%x::1]", ip >> 16, ip & 0xffff);
  return hosts;
}

TEST(WebAddress, EverySpellingOfEveryInnerRangeIsSeenThrough) {
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges{
      {0x00000000, 0x00ffffff}, {0x0a000000, 0x0affffff}, {0x64400000, 0x647fffff},
      {0x7f000000, 0x7fffffff}, {0xa9fe0000, 0xa9feffff}, {0xac100000, 0xac1fffff},
      {0xc0000000, 0xc00000ff}, {0xc0a80000, 0xc0a8ffff}, {0xc6120000, 0xc613ffff},
      {0xe0000000, 0xefffffff}, {0xf0000000, 0xffffffff}};
  int seen = 0;
  for (const auto& [first, last] : ranges) {
    for (const std::uint32_t ip : {first, first + (last - first) / 2, last}) {
      for (const std::string& host : spellings(ip)) {
        ++seen;
        const Result<WebAddress> address = parse_web_address("http://" + host + "/");
        if (!address) continue;  // refused outright
        const std::optional<IpAddress> read = read_ip(address->host);
        ASSERT_TRUE(read) << host << " became the name " << address->host;
        EXPECT_FALSE(is_public(*read)) << host;
      }
    }
  }
  EXPECT_GE(seen, 400);
}

TEST(WebAddress, IsNormalised) {
  const Result<WebAddress> address = parse_web_address("HTTPS://Example.com/a?b=c");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->origin, "https://example.com:443");
  EXPECT_EQ(address->host, "example.com");
  EXPECT_EQ(parse_web_address("http://h:8188/x")->origin, "http://h:8188");
}

TEST(WebAddress, PathsArePutBehindAUrlWithoutSlashesAtItsEnd) {
  EXPECT_EQ(without_end_slashes("http://host:8188/comfy//"), "http://host:8188/comfy");
  EXPECT_EQ(without_end_slashes("http://host"), "http://host");
  EXPECT_EQ(without_end_slashes(""), "");
}

TEST(WebAddress, ASecretIsNotRepeated) {
  const Result<WebAddress> address = parse_web_address("http://me:hunter2@example.com/");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.failure().detail.find("hunter2"), std::string::npos);
}

TEST(WebAddress, LinksAreRelativeToTheirDocument) {
  const WebAddress base = *parse_web_address("https://api.example.com/v1/jobs/7");
  EXPECT_EQ(resolve_link(base, "/out/7.mp4")->url, "https://api.example.com/out/7.mp4");
  EXPECT_EQ(resolve_link(base, "https://cdn.example.com/7.mp4")->host, "cdn.example.com");
  EXPECT_EQ(resolve_link(base, "//127.0.0.1/x")->host, "127.0.0.1");
  EXPECT_FALSE(resolve_link(base, "file:///etc/passwd"));
  EXPECT_FALSE(resolve_link(base, "https://u:p@api.example.com/"));
}

TEST(IpAddress, OrdinaryOnesArePublicAndInnerOnesPrivate) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1",
                           "2606:4700:4700::1111", "2a00:1450:4001::1"}) {
    EXPECT_TRUE(may_reach(EgressScope::kPublic, *read_ip(text))) << text;
    EXPECT_FALSE(may_reach(EgressScope::kPrivate, *read_ip(text))) << text;
    EXPECT_TRUE(may_reach(EgressScope::kAny, *read_ip(text))) << text;
  }
  for (const char* text : {"127.0.0.1", "10.1.2.3", "192.168.0.9", "172.20.0.1", "::1", "fd12::1",
                           "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(may_reach(EgressScope::kPrivate, *read_ip(text))) << text;
  }
  EXPECT_FALSE(may_reach(EgressScope::kPrivate, *read_ip("169.254.169.254")));
  EXPECT_FALSE(may_reach(EgressScope::kPrivate, *read_ip("0.0.0.0")));
}

TEST(WebAddress, AnOperatorMayNameAPrivateNetwork) {
  EXPECT_TRUE(names_private_network(*parse_web_address("http://localhost:8188")));
  EXPECT_TRUE(names_private_network(*parse_web_address("http://10.0.0.7:8080")));
  EXPECT_TRUE(names_private_network(*parse_web_address("http://[::1]:8080")));
  EXPECT_FALSE(names_private_network(*parse_web_address("https://api.example.com")));
  EXPECT_FALSE(names_private_network(*parse_web_address("http://1.1.1.1")));
}

}  // namespace pytoon
