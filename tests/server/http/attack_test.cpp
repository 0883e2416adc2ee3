// Bytes that killed, stalled or confused the library below when it was bare.
#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

class AttackTest : public LiveServer {
 protected:
  // The first answer must be the status and the connection must end: nothing after it is read.
  void refused(const std::string& bytes, int status) {
    RawClient client = this->client();
    client.send(bytes + request("GET", "/health"));
    EXPECT_EQ(client.reply().status, status) << bytes.substr(0, 120);
    EXPECT_EQ(client.reply().status, 0) << "a second answer: " << bytes.substr(0, 120);
    EXPECT_TRUE(alive());
  }
};

std::string with(const std::string& headers, const std::string& line = "GET /health HTTP/1.1") {
  return line + "\r\nHost: x\r\n" + headers + "\r\n";
}

TEST_F(AttackTest, RefusesBrokenHeads) {
  refused(with("", "GET /" + std::string(3000, '/') + " HTTP/1.1"), 400);
  refused(with("", "GET /" + std::string(20000, '/') + " HTTP/1.1"), 414);
  refused(with("A: " + std::string(17000, 'a') + "\r\n"), 431);
  refused("GET /health HTTP/1.1\nHost: x\n\n", 400);
  refused(with("A: b\r\n c\r\n"), 400);
  refused(with(std::string("A: b\0c\r\n", 8)), 400);
  refused("GET /health HTTP/1.1\r\n\r\n", 400);
  refused("GET /health \r\n\r\n", 400);
  refused(with("", "TRACE / HTTP/1.1"), 501);
  refused(with("", "CONNECT x:1 HTTP/1.1"), 501);
  refused(with("", "PROPFIND / HTTP/1.1"), 501);
  refused(with("", "GET /health HTTP/3.0"), 505);
  refused(with("", "PRI * HTTP/2.0"), 501);
  refused(with("Expect: magic\r\n"), 417);
  refused("\x16\x03\x01\x02\x01\x01\xfc\x03\x03", 400);
}

TEST_F(AttackTest, RefusesSmuggling) {
  const std::string post = "POST /api/v1/jobs HTTP/1.1";
  const std::string key = key_header(kAdminKey) + "Content-Type: application/json\r\n";
  const std::string smuggled =
      "GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + key_header(kAdminKey) + "\r\n";
  refused(with(key + "Content-Length: 3\r\nContent-Length: 5\r\n", post) + smuggled, 400);
  refused(with(key + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", post) + "0\r\n\r\n" +
              smuggled,
          400);
  refused(with(key + "Transfer-Encoding: x, chunked\r\n", post) + "0\r\n\r\n" + smuggled, 501);
  refused(with(key + "Content-Length: -1\r\n", post) + smuggled, 400);
  refused(with(key + "Transfer-Encoding: chunked\r\n", post) + "2\r\n{}\r\nZ\r\n" + smuggled, 400);
  refused(with(key + "Transfer-Encoding: chunked\r\n", post) + "ffffffffffffffff\r\n" + smuggled,
          400);
}

TEST_F(AttackTest, RefusesLargeBodiesBeforeReadingThem) {
  const std::string key = key_header(kAdminKey) + "Content-Type: application/json\r\n";
  refused(with(key + "Content-Length: 10000000000\r\n", "POST /api/v1/jobs HTTP/1.1"), 413);
  refused(with(key + "Content-Length: 1000001\r\n", "POST /api/v1/jobs HTTP/1.1") +
              std::string(1'000'001, ' '),
          413);
  refused(with(key_header(kAdminKey) + std::string(kFormType) + "Content-Length: 301000000\r\n",
               "POST /api/v1/assets/upload HTTP/1.1"),
          413);
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "fde8\r\n" + std::string(65000, ' ') + "\r\n";
  refused(with(key + "Transfer-Encoding: chunked\r\n", "POST /api/v1/jobs HTTP/1.1") + chunks, 413);
  refused(with("Content-Length: 100\r\n", "POST /api/v1/jobs HTTP/1.1") + std::string(100, 'x'),
          401);
}

TEST_F(AttackTest, TakesWhatIsUnusualButLegal) {
  for (const char* header :
       {"Accept: ;;;/,*/*;q=nan\r\n", "Cache-Control: max-age=0, foo=bar\r\n", "Cookie: a\r\n",
        "Date: x\r\n", "Content-Length: 0\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n",
        "Range: bytes=0-1,2-3\r\n", "Expect: 100-continue\r\n", "Authorization: Basic ?\r\n"}) {
    EXPECT_EQ(client().ask(with(header)).status, 200) << header;
  }
  EXPECT_EQ(client().ask("GET /health HTTP/1.1\r\nHost: x:99999\r\n\r\n").status, 200);
  std::string ranges = "Range: bytes=0-0";
  for (int i = 0; i < 3000; ++i) ranges += ",1-2";
  EXPECT_EQ(client().ask(with(ranges + "\r\n")).status, 200);
}

TEST_F(AttackTest, ReadsChunkedBodiesWithExtensions) {
  RawClient client = this->client();
  client.send(with(
      key_header(kAdminKey) + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
      "POST /api/v1/jobs HTTP/1.1"));
  for (const char byte :
       std::string("5;a=b\r\n{\"pre\r\nD\r\nset_id\": \"p\"}\r\n0\r\nX: y\r\n\r\n")) {
    client.send({&byte, 1});
  }
  EXPECT_EQ(client.reply().status, 201);
  EXPECT_EQ(client.ask(request("GET", "/health")).status, 200) << "the connection goes on";
}

TEST_F(AttackTest, SendsContinue) {
  RawClient client = this->client();
  const std::string headers =
      key_header(kAdminKey) + "Content-Type: application/json\r\nExpect: 100-continue\r\n";
  client.send(with(headers + "Content-Length: 17\r\n", "POST /api/v1/jobs HTTP/1.1"));
  ASSERT_TRUE(client.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send(R"({"preset_id":"p"})");
  EXPECT_EQ(client.reply().status, 201);
  RawClient refused_client = this->client();
  refused_client.send(with(headers + "Content-Length: 9999999\r\n", "POST /api/v1/jobs HTTP/1.1"));
  EXPECT_EQ(refused_client.reply().status, 413) << "and no 100 before it";
  EXPECT_EQ(refused_client.unread(), "");
}

TEST_F(AttackTest, DropsClientsThatSendFarAhead) {
  // Shared: the handler may outlive this test's body by a sleep.
  const auto release = std::make_shared<std::atomic<bool>>(false);
  service.on_job = [this, release] {
    while (!*release) clock.sleep_for(std::chrono::milliseconds(5));
  };
  RawClient client = this->client();
  client.send(request("GET", "/api/v1/jobs/queued", key_header(kReadKey)));
  std::string ahead;
  while (ahead.size() < 50'000) ahead += request("GET", "/health");
  bool open = true;
  for (int i = 0; i < 100 && open; ++i) open = client.send(ahead);
  EXPECT_TRUE(client.ended_within(std::chrono::seconds(10)));
  *release = true;
  EXPECT_TRUE(alive());
}

TEST_F(AttackTest, AnswersHealthWhileAllHandlersAreBusy) {
  std::atomic<bool> release{false};
  service.on_job = [&] {
    while (!release) clock.sleep_for(std::chrono::milliseconds(5));
  };
  std::vector<RawClient> busy;
  for (int i = 0; i < 40; ++i) {
    busy.push_back(client());
    busy.back().send(request("GET", "/api/v1/jobs/queued", key_header(kReadKey)));
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(alive());
  release = true;
  for (RawClient& one : busy) EXPECT_EQ(one.reply().status, 200);
}

}  // namespace
}  // namespace pytoon::http::testing_support
