#include "server/http/address_limiter.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/files.h"

namespace pytoon::http {
namespace {

class HandClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(); }
  SteadyTime steady_now() const override { return SteadyTime(elapsed); }
  void sleep_for(std::chrono::milliseconds duration) override { elapsed += duration; }
  std::chrono::milliseconds elapsed{0};
};

TEST(AddressLimiter, EachAddressHasABucketOfItsOwn) {
  HandClock clock;
  AddressLimiter limiter(clock, {.per_second = 0.5, .burst = 2});
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_EQ(limiter.take("10.0.0.1"), 2);
  EXPECT_FALSE(limiter.take("10.0.0.2"));
  clock.sleep_for(std::chrono::seconds(2));
  EXPECT_FALSE(limiter.take("10.0.0.1"));
  EXPECT_TRUE(limiter.take("10.0.0.1"));
}

TEST(AddressLimiter, ManyAddressesTakeBoundedMemoryAndThoseThatRestAreForgotten) {
  HandClock clock;
  AddressLimiter limiter(clock, {.per_second = 1, .burst = 2});
  const auto from_many = [&] {
    for (int i = 0; i < 30'000; ++i) (void)limiter.take("a" + std::to_string(i));
  };
  from_many();
  EXPECT_LE(limiter.remembered(), 10'001U);
  EXPECT_TRUE(limiter.take("not seen yet")) << "those that find no room share one bucket";
  EXPECT_FALSE(limiter.take("a1")) << "who was there before has his own still";
  clock.sleep_for(std::chrono::seconds(3));
  EXPECT_FALSE(limiter.take("not seen yet"));
  EXPECT_LE(limiter.remembered(), 2U);
}

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
  return peer_address(taken.get());
}

TEST(PeerAddress, IsTheAddressOrTheNetworkOfAnIpv6One) {
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

TEST(PeerAddress, OfNoSocketIsEmpty) { EXPECT_EQ(peer_address(-1), ""); }

}  // namespace
}  // namespace pytoon::http
