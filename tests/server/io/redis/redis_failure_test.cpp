#include "tests/server/io/redis/notifier_fixture.h"

namespace pytoon::io {

// Everything that can happen to a Redis: the wake-up channel goes silent, says so, and comes back.
class RedisTroubleTest : public DoorbellFixture {
 protected:
  void start(int port) {
    listener_ = listener(port, wakes_);
    notifier_ = notifier(port);
    ASSERT_TRUE(works_again());
  }
  // A wake-up is heard.
  bool works_again() {
    return eventually([&] {
      if (!notifier_->state().connected || !listener_->state().connected) return false;
      const std::int64_t before = listener_->received();
      notifier_->notify();
      for (int i = 0; i < 100 && listener_->received() == before; ++i) {
        clock_.sleep_for(std::chrono::milliseconds(2));
      }
      return listener_->received() > before;
    });
  }
  bool both_missing() {
    return eventually(
        [&] { return !notifier_->state().connected && !listener_->state().connected; });
  }
  void mend_by(const std::vector<std::string>& command) {
    ask(redis_.port(), command);
    EXPECT_TRUE(works_again());
  }

  support::PrivateRedis redis_{
      {"--enable-debug-command", "local", "--loading-process-events-interval-bytes", "1024"}};
  std::atomic<int> wakes_{0};
  std::unique_ptr<RedisListener> listener_;
  std::unique_ptr<RedisNotifier> notifier_;
};

TEST_F(RedisTroubleTest, FlushedRedisGetsItsGroupBack) {
  start(redis_.port());
  for (int i = 0; i < 3; ++i) {
    const int before = wakes_;
    ask(redis_.port(), {"FLUSHALL"});
    EXPECT_TRUE(eventually([&] { return wakes_ > before; }));  // wake-ups may have been lost
    EXPECT_TRUE(works_again());
  }
  EXPECT_EQ(lines_.str().find("redis_missing"), std::string::npos) << lines_.str();
}

TEST_F(RedisTroubleTest, FlushedWhileNobodyReads) {
  start(redis_.port());
  listener_->listen(false);
  clock_.sleep_for(hasty().block * 2);
  ask(redis_.port(), {"FLUSHALL"});
  listener_->listen(true);
  EXPECT_TRUE(works_again());
  EXPECT_EQ(lines_.str().find("redis_missing"), std::string::npos) << lines_.str();
}

TEST_F(RedisTroubleTest, KilledAndStartedAgain) {
  start(redis_.port());
  for (int i = 0; i < 3; ++i) {
    redis_.kill();
    ASSERT_TRUE(both_missing());
    const std::int64_t dropped = notifier_->counts().dropped;
    notifier_->notify();
    EXPECT_EQ(notifier_->counts().dropped, dropped + 1);
    EXPECT_NE(notifier_->state().detail, "");
    const int before = wakes_;
    redis_.restart();
    EXPECT_TRUE(eventually([&] { return wakes_ > before; }));
    EXPECT_TRUE(works_again());
  }
  EXPECT_NE(lines_.str().find("redis_missing"), std::string::npos);
}

TEST_F(RedisTroubleTest, NotThereAtFirst) {
  redis_.kill();
  listener_ = listener(redis_.port(), wakes_);
  notifier_ = notifier(redis_.port());
  notifier_->notify();
  EXPECT_TRUE(eventually([&] { return !notifier_->state().detail.empty(); }));
  EXPECT_FALSE(notifier_->state().connected);
  EXPECT_EQ(wakes_, 0);
  redis_.restart();
  EXPECT_TRUE(works_again());
}

TEST_F(RedisTroubleTest, FullMemory) {
  start(redis_.port());
  ask(redis_.port(), {"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  ask(redis_.port(), {"CONFIG", "SET", "maxmemory", "1"});
  notifier_->notify();
  ASSERT_TRUE(eventually([&] { return !notifier_->state().connected; }));
  EXPECT_NE(notifier_->state().detail.find("OOM"), std::string::npos) << notifier_->state().detail;
  mend_by({"CONFIG", "SET", "maxmemory", "0"});
}

TEST_F(RedisTroubleTest, ReadOnlyReplica) {
  start(redis_.port());
  ask(redis_.port(), {"REPLICAOF", "127.0.0.1", "1"});
  notifier_->notify();
  ASSERT_TRUE(both_missing());
  EXPECT_NE(notifier_->state().detail.find("READONLY"), std::string::npos)
      << notifier_->state().detail;
  mend_by({"REPLICAOF", "NO", "ONE"});
}

TEST_F(RedisTroubleTest, StillLoading) {
  start(redis_.port());
  ask(redis_.port(), {"DEBUG", "POPULATE", "20000"});
  ask(redis_.port(), {"CONFIG", "SET", "key-load-delay", "20"});  // microseconds a key
  std::thread reload([&] {
    Result<RedisConnection> connection = RedisConnection::open(
        address(redis_.port()), {std::chrono::milliseconds(500), std::chrono::seconds(20)});
    ASSERT_TRUE(connection) << connection.failure().detail;
    EXPECT_TRUE(connection->run({"DEBUG", "RELOAD"}));
  });
  EXPECT_TRUE(eventually([&] {
    notifier_->notify();
    return notifier_->state().detail.find("LOADING") != std::string::npos;
  }));
  reload.join();
  EXPECT_TRUE(works_again());
}

TEST_F(RedisTroubleTest, ClusterNodesAreNamedForWhatTheyAre) {
  support::PrivateRedis cluster(
      {"--cluster-enabled", "yes", "--cluster-port", std::to_string(support::free_port())});
  notifier_ = notifier(cluster.port());
  EXPECT_TRUE(eventually([&] {
    return notifier_->state().detail.find("CLUSTERDOWN") != std::string::npos ||
           notifier_->state().detail.find("MOVED") != std::string::npos;
  })) << notifier_->state().detail;
}

TEST_F(RedisTroubleTest, StoppedWithoutClosing) {
  start(redis_.port());
  redis_.pause();
  ASSERT_TRUE(both_missing());
  redis_.resume();
  EXPECT_TRUE(works_again());
}

TEST_F(RedisTroubleTest, SlowBrokenAndCutLinks) {
  support::TcpGate gate(redis_.port());
  start(gate.port());
  gate.set({.delay = std::chrono::milliseconds(40)});
  EXPECT_TRUE(works_again());
  EXPECT_TRUE(listener_->state().connected);
  gate.cut();
  EXPECT_TRUE(works_again());
  gate.set({.hold = true});
  EXPECT_TRUE(both_missing());
  gate.set({});
  EXPECT_TRUE(works_again());
  gate.set({.corrupt_every = 7});
  notifier_->notify();
  EXPECT_TRUE(both_missing());
  gate.set({.refuse = true});
  EXPECT_TRUE(both_missing());
  gate.set({});
  EXPECT_TRUE(works_again());
}

TEST_F(RedisTroubleTest, PasswordsAndDatabases) {
  support::PrivateRedis locked({"--requirepass", "open sesame"});
  RedisAddress known = address(locked.port());
  known.password = "open sesame";
  known.database = 2;
  Result<RedisConnection> connection = RedisConnection::open(known, RedisLimits{});
  ASSERT_TRUE(connection) << connection.failure().detail;
  ASSERT_TRUE(connection->run({"SET", "here", std::string("a\0b", 3)}));
  EXPECT_EQ(connection->run({"GET", "here"})->text(), std::string("a\0b", 3));
  known.database = 0;
  connection = RedisConnection::open(known, RedisLimits{});
  ASSERT_TRUE(connection);
  EXPECT_TRUE(connection->run({"GET", "here"})->is_nil());
  known.password = "guess";
  const auto refused = RedisConnection::open(known, RedisLimits{});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(redis_said(refused.failure(), "WRONGPASS")) << refused.failure().detail;
  EXPECT_EQ(refused.failure().detail.find("guess"), std::string::npos);
}

}  // namespace pytoon::io
