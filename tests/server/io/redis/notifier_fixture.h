// A notifier and its listeners on a Redis of the test's own, with short patience.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "server/io/redis/redis_listener.h"
#include "server/io/redis/redis_notifier.h"
#include "tests/support/eventually.h"
#include "tests/support/redis.h"
#include "tests/support/tcp_gate.h"

namespace pytoon::io {

class DoorbellFixture : public testing::Test {
 protected:
  static WakeupOptions hasty() {
    WakeupOptions options;
    options.limits = {std::chrono::milliseconds(500), std::chrono::milliseconds(500)};
    options.block = std::chrono::milliseconds(200);
    options.probe = std::chrono::milliseconds(100);
    options.backoff = {std::chrono::milliseconds(20), std::chrono::milliseconds(200)};
    return options;
  }
  RedisAddress address(int port) const {
    RedisAddress made;
    made.host = "127.0.0.1";
    made.port = port;
    return made;
  }

  std::unique_ptr<RedisNotifier> notifier(int port, const WakeupOptions& options = hasty()) {
    return std::make_unique<RedisNotifier>(address(port), options, clock_, log_);
  }
  std::unique_ptr<RedisListener> listener(int port, std::atomic<int>& wakes,
                                          const std::string& name = "worker-1",
                                          const WakeupOptions& options = hasty()) {
    return std::make_unique<RedisListener>(
        address(port), options, name, [&wakes] { ++wakes; }, clock_, log_);
  }
  // Until it holds, or 20 s passed: then the test fails.
  bool eventually(const std::function<bool()>& holds) {
    return support::eventually(holds, std::chrono::seconds(20));
  }
  void ask(int port, const std::vector<std::string>& command) {
    Result<RedisConnection> connection = RedisConnection::open(address(port), RedisLimits{});
    ASSERT_TRUE(connection) << connection.failure().detail;
    const Result<RedisReply> reply = connection->run(command);
    ASSERT_TRUE(reply) << reply.failure().detail;
  }

  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
};

}  // namespace pytoon::io
