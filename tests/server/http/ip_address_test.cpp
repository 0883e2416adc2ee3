#include "server/http/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/files.h"

namespace pytoon::http {
namespace {

// Whom a client that came from the address is taken for by the other end.
std::string seen_as(int family, const sockaddr* from, socklen_t size) {
  const FileDescriptor listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), from, size) != 0 || ::listen(listener.get(), 1) != 0) return "none";
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof bound;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &bound_size);
  const FileDescriptor caller(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(caller.get(), reinterpret_cast<sockaddr*>(&bound), bound_size) != 0) return "none";
  const FileDescriptor taken(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const auto peer = peer_of(taken.get());
  return peer ? client_name(*peer) : "none";
}

TEST(IpAddress, OfAPeerIsCountedWholeOrByItsNetwork) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(seen_as(AF_INET, reinterpret_cast<sockaddr*>(&four), sizeof four), "127.0.0.1");
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  const std::string network = seen_as(AF_INET6, reinterpret_cast<sockaddr*>(&six), sizeof six);
  if (network == "none") GTEST_SKIP() << "no IPv6 on this host";
  EXPECT_EQ(network, "::") << "of ::1 the first 64 bits";
  ::inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
  EXPECT_EQ(seen_as(AF_INET6, reinterpret_cast<sockaddr*>(&six), sizeof six), "127.0.0.1");
}

TEST(IpAddress, OfNoSocketIsUnknown) { EXPECT_FALSE(peer_of(-1)); }

std::string name_of(std::string_view text) {
  const auto address = ip_address_from(text);
  return address ? client_name(*address) : "none";
}

TEST(IpAddress, IsReadStrictly) {
  EXPECT_EQ(name_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(name_of("::ffff:192.0.2.7"), "192.0.2.7") << "the same client";
  EXPECT_EQ(name_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.7 ", "localhost", "::1::", "1"}) {
    EXPECT_EQ(name_of(text), "none") << text;
  }
}

bool holds(std::string_view set, std::string_view address) {
  return AddressSet::parse(set)->contains(*ip_address_from(address));
}

TEST(AddressSet, HoldsAddressesAndNetworks) {
  EXPECT_TRUE(holds("10.0.0.0/8, 192.0.2.7", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8, 192.0.2.7", "11.0.0.1"));
  EXPECT_TRUE(holds("10.0.0.0/8, 192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("10.0.0.0/8, 192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(holds("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(holds("", "127.0.0.1"));
}

TEST(AddressSet, RefusesWhatIsNone) {
  for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "proxy", "1.2.3"}) {
    const auto set = AddressSet::parse(text);
    ASSERT_FALSE(set) << text;
    EXPECT_NE(set.failure().detail.find(text), std::string::npos);
  }
}

std::string client(std::string_view peer, std::string_view forwarded_for) {
  const AddressSet proxies = *AddressSet::parse("10.0.0.0/8");
  return client_name(*client_of(ip_address_from(peer), forwarded_for, proxies));
}

TEST(ClientOf, AStrangersWordIsNotTaken) {
  EXPECT_EQ(client("192.0.2.7", "198.51.100.1"), "192.0.2.7");
  EXPECT_EQ(client("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", "127.0.0.1, 198.51.100.1"), "198.51.100.1")
      << "what stands before it is the client's own";
  EXPECT_EQ(client("10.0.0.1", "198.51.100.1, 10.0.0.2"), "198.51.100.1") << "two of ours";
  EXPECT_EQ(client("10.0.0.1", "10.0.0.3,10.0.0.2"), "10.0.0.3") << "a client of our own network";
  EXPECT_EQ(client("10.0.0.1", "198.51.100.1, unknown"), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", "198.51.100.1:4711"), "198.51.100.1");
  EXPECT_EQ(client("10.0.0.1", "[2001:db8::1]:4711"), "2001:db8::");
  EXPECT_EQ(client("10.0.0.1", "["), "10.0.0.1");
  EXPECT_FALSE(client_of(std::nullopt, "198.51.100.1", AddressSet()));
}

}  // namespace
}  // namespace pytoon::http
