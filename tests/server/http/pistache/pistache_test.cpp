// Why so little of Pistache is used: each case shows one thing that Debian's 0.0.5 does, on a
// server that is nothing but the library (bare_server.cpp). They pass while the library is as bad
// as docs/adr/0012 says; one that fails says that the decision may be looked at again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/server/http/raw_client.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"

namespace pytoon::http {
namespace {

using namespace std::chrono_literals;
using support::ChildProcess;
using support::eventually;
using testing_support::RawClient;
using testing_support::Reply;
using testing_support::request;

constexpr int kLongTimeoutMs = 60'000;  // the library's own default
constexpr int kShortTimeoutMs = 500;
constexpr int kSegmentationFault = 128 + SIGSEGV;
constexpr int kTerminated = 128 + SIGABRT;
constexpr int kBrokenPipe = 128 + SIGPIPE;

class Pistache005 : public testing::Test {
 protected:
  ~Pistache005() override {
    server_.kill();
    std::filesystem::remove(std::filesystem::temp_directory_path() /
                            ("pytoon_bare_server_" + std::to_string(port_)));
  }

  void start(int header_timeout_ms, const std::string& words = "", const std::string& before = "") {
    port_ = support::free_port();
    server_ = ChildProcess({"/bin/sh", "-c",
                            before + "exec " PYTOON_BARE_SERVER " " + std::to_string(port_) + " " +
                                std::to_string(header_timeout_ms) + " " + words},
                           "/dev/null");
    ASSERT_TRUE(eventually([&] { return support::port_answers(port_); }, 20s));
  }

  RawClient client(int receive_buffer_bytes = 0) const {
    return RawClient(static_cast<std::uint16_t>(port_), receive_buffer_bytes);
  }
  bool ended() {
    return eventually([&] { return !server_.running(); }, 20s);
  }
  // Processor time of the server so far.
  std::chrono::milliseconds cpu_time() const {
    std::ifstream file("/proc/" + std::to_string(server_.pid()) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
  }
  std::chrono::milliseconds cpu_time_of(const std::string& bytes) {
    const auto before = cpu_time();
    client().ask(bytes);
    return cpu_time() - before;
  }

  int port_ = 0;
  ChildProcess server_;
};

TEST_F(Pistache005, RouterEndsTheProcessOverAPathOfSlashes) {
  start(kLongTimeoutMs);
  EXPECT_EQ(client().ask(request("GET", std::string(20'000, '/'))).status, 0);
  ASSERT_TRUE(ended());
  EXPECT_EQ(server_.wait(), kSegmentationFault);
}

TEST_F(Pistache005, AClientThatLeavesDuringAFileEndsTheProcessBySigpipe) {
  start(kLongTimeoutMs, "sigpipe");
  // Whether a call of sendfile or the loop meets the reset first is chance.
  bool gone = false;
  for (int i = 0; i < 20 && !gone; ++i) {
    RawClient leaving = client(4096);
    leaving.send(request("GET", "/file"));
    leaving.read_until("200 OK");
    leaving.reset();
    gone = eventually([&] { return !server_.running(); }, 1s);
  }
  ASSERT_TRUE(gone);
  EXPECT_EQ(server_.wait(), kBrokenPipe);
}

TEST_F(Pistache005, AReaderThatStandsStillKeepsAThreadBusyAndEverybodyWaiting) {
  start(kLongTimeoutMs);
  RawClient stalled = client(4096);
  ASSERT_TRUE(stalled.send(request("GET", "/big")));
  ASSERT_TRUE(stalled.read_until("200 OK"));
  const auto before = cpu_time();
  RawClient other = client();
  ASSERT_TRUE(other.send(request("GET", "/small")));
  EXPECT_FALSE(other.ended_within(1s));
  EXPECT_EQ(other.unread(), "");
  EXPECT_TRUE(eventually([&] { return cpu_time() - before >= 500ms; }, 20s));
}

TEST_F(Pistache005, StreamsWrittenByAnotherThreadEndTheProcess) {
  start(kLongTimeoutMs);
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(client());
  for (RawClient& one : clients) one.send(request("GET", "/stream"));
  ASSERT_TRUE(ended());
  EXPECT_GE(server_.wait(), 128);  // by its own assertion or by a broken list
}

TEST_F(Pistache005, ATimeLimitOnAReplyOfAnotherThreadEndsTheProcess) {
  start(kLongTimeoutMs);
  client().ask(request("GET", "/timeout"));
  ASSERT_TRUE(ended());
  EXPECT_EQ(server_.wait(), kTerminated);
}

TEST_F(Pistache005, AReplyLaterThanTheHeaderTimeoutIsPrecededByA408) {
  start(kShortTimeoutMs);
  EXPECT_EQ(client().ask(request("GET", "/late")).status, 408);
}

TEST_F(Pistache005, AConnectionWithoutItsParserEndsTheProcess) {
  start(kShortTimeoutMs, "no_parser");
  RawClient idle = client();
  ASSERT_TRUE(ended());
  EXPECT_EQ(server_.wait(), kTerminated);
}

TEST_F(Pistache005, ParserStartsAgainAtTheFirstByteOfALongHead) {
  start(kLongTimeoutMs);
  const std::string megabyte(1 << 20, 'a');
  const auto as_body = cpu_time_of(request("POST", "/length", "", megabyte));
  const auto as_header = cpu_time_of(request("GET", "/small", "X-Long: " + megabyte + "\r\n"));
  EXPECT_GT(as_header, 100ms);
  EXPECT_GT(as_header, 5 * as_body);
}

TEST_F(Pistache005, ParserDropsARequestSentAhead) {
  start(kLongTimeoutMs);
  RawClient ahead = client();
  ASSERT_TRUE(ahead.send(request("GET", "/small") + request("GET", "/small")));
  EXPECT_EQ(ahead.reply().status, 200);
  EXPECT_FALSE(ahead.ended_within(500ms));
  EXPECT_EQ(ahead.unread(), "");
}

TEST_F(Pistache005, ParserTakesTheRestOfARefusedBodyForRequests) {
  start(kLongTimeoutMs);
  std::string body;
  while (body.size() < 9 << 20) body += "DELETE /everything HTTP/1.1\r\n\r\n";
  RawClient sender = client();
  sender.send(request("POST", "/length", "", body));
  EXPECT_EQ(sender.reply().status, 413);
  EXPECT_NE(sender.reply().status, 0);  // a second answer to one request
}

TEST_F(Pistache005, ParserIsLenientWhereItMustBeStrict) {
  start(kLongTimeoutMs);
  const Reply two_lengths = client().ask(
      "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde");
  EXPECT_EQ(two_lengths.status, 200);
  EXPECT_EQ(two_lengths.body, "3");
  EXPECT_EQ(client().ask("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n").status,
            200);
  EXPECT_EQ(client().ask("GET /small HTTP/1.1\r\n\r\n").status, 200);  // no Host
}

TEST_F(Pistache005, ParserRefusesLegalHeaders) {
  start(kLongTimeoutMs);
  for (const char* const header :
       {"Cookie: a\r\n", "Date: x\r\n", "Cache-Control: max-age=0, foo=bar\r\n"}) {
    EXPECT_EQ(client().ask(request("GET", "/small", header)).status, 500) << header;
  }
}

TEST_F(Pistache005, NobodyIsToldToContinue) {
  start(kLongTimeoutMs);
  RawClient waiting = client();
  ASSERT_TRUE(
      waiting.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                   "Expect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(waiting.ended_within(500ms));
  EXPECT_EQ(waiting.unread(), "");
  ASSERT_TRUE(waiting.send("abc"));
  EXPECT_EQ(waiting.reply().status, 200);
}

TEST_F(Pistache005, ShutdownLosesTheReplyUnderWay) {
  start(kLongTimeoutMs);
  RawClient waiting = client();
  ASSERT_TRUE(waiting.send(request("GET", "/late")));
  EXPECT_FALSE(waiting.ended_within(200ms));
  server_.signal(SIGTERM);
  EXPECT_EQ(waiting.reply().status, 0);
}

// The acceptor is kept, so this is ours too: hence the limit on connections in ConnectionTable.
TEST_F(Pistache005, AcceptorSpinsWithoutDescriptorsAndRecovers) {
  start(kLongTimeoutMs, "", "ulimit -n 40; ");
  std::vector<RawClient> clients;
  for (int i = 0; i < 45; ++i) clients.push_back(client());
  const auto before = cpu_time();
  EXPECT_TRUE(eventually([&] { return cpu_time() - before >= 200ms; }, 20s));
  clients.clear();
  EXPECT_EQ(client().ask(request("GET", "/small")).status, 200);
}

}  // namespace
}  // namespace pytoon::http
