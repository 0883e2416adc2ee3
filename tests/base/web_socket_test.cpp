#include "base/web_socket.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/clock.h"
#include "tests/support/web_socket_peer.h"

namespace pytoon {
namespace {

using std::chrono::milliseconds;
using support::Call;
using support::frame;
using support::frame_head;
using support::Opcode;
using support::Reply;

class WebSocketTest : public testing::Test {
 protected:
  // What the server says after the upgrade; then it listens.
  void says(std::function<void(int)> script) { script_ = std::move(script); }
  void says(std::string bytes) {
    says([this, bytes = std::move(bytes)](int fd) { support::write_all(fd, bytes, server_); });
  }
  Reply answer(const Call& call) {
    call_ = call;
    if (reply_) return *reply_;
    Reply reply;
    reply.manner = Reply::Manner::kTakeOver;
    // Copies: the test may have gone on to the next script.
    reply.talk = [this, key = call.headers.at("sec-websocket-key"), script = script_,
                  stays = stays_](int fd) {
      support::write_all(fd, support::upgrade_answer(key + spoil_), server_);
      if (script) script(fd);
      if (stays) support::read_until_gone(fd, server_);
    };
    return reply;
  }
  Result<std::unique_ptr<WebSocket>> open(EgressScope egress = EgressScope::kPrivate) {
    return WebSocket::open(server_.url("/ws?clientId=a%20b"), egress, limits_, cancel_);
  }
  // The next message, however long it takes.
  Result<WebSocket::Message> next(WebSocket& socket) {
    for (;;) {
      auto got = socket.next(milliseconds(200), cancel_);
      if (!got) return got.failure();
      if (*got) return std::move(**got);
    }
  }
  FailureKind fate() {
    const auto socket = open();
    EXPECT_TRUE(socket) << socket.failure().detail;
    for (;;) {
      const auto got = next(**socket);
      if (!got) return got.failure().kind;
    }
  }

  CancelToken cancel_;
  WebSocketLimits limits_;
  std::optional<Reply> reply_;
  std::string spoil_;
  bool stays_ = true;
  std::function<void(int)> script_;
  Call call_;
  support::FakeHttpServer server_{[this](const Call& call) { return answer(call); }};
};

TEST_F(WebSocketTest, HearsMessagesInOrderAndWhole) {
  const std::string long_text(70'000, 'x');
  says(frame(Opcode::kText, "one") + frame(Opcode::kBinary, std::string("\0\1", 2)) +
       frame(Opcode::kText, "tw", true) + frame(Opcode::kPing, "p") +
       frame(Opcode::kContinuation, "o") + frame(Opcode::kText, "") +
       frame(Opcode::kText, long_text));
  const auto socket = open();
  ASSERT_TRUE(socket) << socket.failure().detail;
  EXPECT_EQ(call_.method, "GET");
  EXPECT_EQ(call_.path, "/ws");
  EXPECT_EQ(call_.query.at("clientId"), "a b");
  EXPECT_EQ(call_.headers.at("host"), "127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_EQ(call_.headers.count("origin"), 0U);
  for (const std::string& expected :
       {std::string("one"), std::string("\0\1", 2), std::string("two"), std::string(), long_text}) {
    const auto got = next(**socket);
    ASSERT_TRUE(got) << got.failure().detail;
    EXPECT_EQ(got->data, expected);
    EXPECT_EQ(got->text, expected.empty() || expected[0] != '\0');
  }
}

TEST_F(WebSocketTest, SilenceIsNoFailure) {
  const auto socket = open();
  ASSERT_TRUE(socket);
  for (int i = 0; i < 3; ++i) {
    const auto got = (*socket)->next(milliseconds(5), cancel_);
    ASSERT_TRUE(got) << got.failure().detail;
    EXPECT_FALSE(*got);
  }
}

TEST_F(WebSocketTest, AMessageMayComeInPieces) {
  const std::string whole = frame(Opcode::kText, "slow");
  says([this, whole](int fd) {
    for (const char byte : whole) {
      support::write_all(fd, std::string(1, byte), server_);
      SystemClock().sleep_for(milliseconds(2));
    }
  });
  const auto socket = open();
  ASSERT_TRUE(socket);
  const auto got = next(**socket);
  ASSERT_TRUE(got) << got.failure().detail;
  EXPECT_EQ(got->data, "slow");
}

TEST_F(WebSocketTest, WhoDoesNotUpgradeIsUnavailable) {
  for (const int status : {200, 302, 403, 404, 500}) {
    reply_ = Reply{status, "no", "text/plain", {{"Location", "http://127.0.0.1:1/"}}};
    const auto socket = open();
    ASSERT_FALSE(socket);
    EXPECT_EQ(socket.failure().kind, FailureKind::kUnavailable);
    EXPECT_NE(socket.failure().detail.find(std::to_string(status)), std::string::npos);
  }
  reply_ = Reply{200, "", "", {}, Reply::Manner::kDrop};
  EXPECT_EQ(open().failure().kind, FailureKind::kUnavailable);
  {
    const auto quiet = server_.between_calls();
    reply_.reset();
    spoil_ = "other";  // answers somebody else's key
  }
  EXPECT_FALSE(open());
  server_.stop();
  EXPECT_EQ(open().failure().kind, FailureKind::kUnavailable);
}

TEST_F(WebSocketTest, WhoHangsIsGivenUp) {
  limits_.open = milliseconds(100);
  reply_ = Reply{200, "", "", {}, Reply::Manner::kHang};
  EXPECT_EQ(open().failure().kind, FailureKind::kTimeout);
}

TEST_F(WebSocketTest, EndsAreTold) {
  stays_ = false;
  EXPECT_EQ(fate(), FailureKind::kUnavailable);  // no farewell
  stays_ = true;
  says(frame(Opcode::kClose, std::string("\x03\xe8", 2)));
  EXPECT_EQ(fate(), FailureKind::kUnavailable);
  says("no frame at all, \xff\xfe\x80\x7f\x12\x34\x56");
  EXPECT_EQ(fate(), FailureKind::kBadResponse);
  says(frame(Opcode::kText, "\xff\xfe"));  // no UTF-8
  EXPECT_EQ(fate(), FailureKind::kBadResponse);
}

TEST_F(WebSocketTest, AFailureStays) {
  stays_ = false;
  const auto socket = open();
  ASSERT_TRUE(socket);
  while (next(**socket)) {
  }
  EXPECT_EQ(next(**socket).failure().kind, FailureKind::kUnavailable);
}

TEST_F(WebSocketTest, NothingGrowsWithoutEnd) {
  limits_.message_bytes = 1000;
  limits_.bytes = 3000;
  limits_.messages = 20;
  says(frame_head(Opcode::kText, std::uint64_t{1} << 40));
  EXPECT_EQ(fate(), FailureKind::kTooLarge);
  says(frame(Opcode::kText, std::string(1001, 'x')));
  EXPECT_EQ(fate(), FailureKind::kTooLarge);
  const auto endless = [this](const std::string& bytes) {
    says([this, bytes](int fd) {
      while (support::write_all(fd, bytes, server_) && !server_.stopping()) {
      }
    });
  };
  endless(frame(Opcode::kBinary, std::string(900, 'x')));
  EXPECT_EQ(fate(), FailureKind::kTooLarge);
  endless(frame(Opcode::kText, ""));
  EXPECT_EQ(fate(), FailureKind::kTooLarge);
  endless(frame(Opcode::kPing, "p"));
  EXPECT_EQ(fate(), FailureKind::kTooLarge);
  endless(frame(Opcode::kText, "x", true) + frame(Opcode::kPing, "p"));
  EXPECT_NE(fate(), FailureKind::kCancelled);
}

TEST_F(WebSocketTest, ACancelIsNoticed) {
  const auto socket = open();
  ASSERT_TRUE(socket);
  std::thread canceller([this] { cancel_.cancel(); });
  const auto got = next(**socket);
  canceller.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.failure().kind, FailureKind::kCancelled);
  EXPECT_EQ(open().failure().kind, FailureKind::kCancelled);
}

TEST_F(WebSocketTest, ForbiddenAddressesAreNotConnectedTo) {
  EXPECT_EQ(open(EgressScope::kPublic).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_EQ(WebSocket::open("ws://127.0.0.1/", EgressScope::kAny, limits_, cancel_).failure().kind,
            FailureKind::kInvalid);
}

}  // namespace
}  // namespace pytoon
