#include "server/http/request_head.h"

#include <gtest/gtest.h>

#include <random>

namespace pytoon::http {
namespace {

constexpr std::string_view kPlain =
    "POST /api/v1/jobs?x=1 HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 12\r\n"
    "X-Api-Key:  key one \r\n\r\n";

// The status of the refusal; 0 for a head that was read, -1 when more bytes are wanted.
int verdict(std::string_view bytes) {
  HeadReader reader;
  const HeadReader::Step step = reader.feed(bytes);
  if (step.problem) return step.problem->status;
  if (!step.complete) return -1;
  const auto parsed = parse_request_head(reader.head());
  if (const auto* problem = std::get_if<Problem>(&parsed)) return problem->status;
  return 0;
}

RequestHead read(const std::string& bytes) {
  auto parsed = parse_request_head(bytes);
  EXPECT_TRUE(std::holds_alternative<RequestHead>(parsed)) << bytes;
  return std::get<RequestHead>(std::move(parsed));
}

std::string get(const std::string& headers, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\nHost: x\r\n" + headers + "\r\n";
}

TEST(RequestHead, ReadsAnOrdinaryHead) {
  const RequestHead head = read(std::string(kPlain));
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.path, "/api/v1/jobs");
  EXPECT_EQ(head.query, "x=1");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_EQ(head.header("x-api-key"), "key one");
  EXPECT_FALSE(head.header("x-api").has_value());
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

TEST(RequestHead, TakesUnusualButLegalHeaders) {
  for (const char* header :
       {"Accept: ;;;/,*/*;q=nan\r\n", "Cache-Control: max-age=0, foo=bar\r\n", "Cookie: a\r\n",
        "Date: x\r\n", "Empty:\r\n", "X: \xc3\xa9\r\n", "If-Modified-Since: never\r\n"}) {
    EXPECT_EQ(verdict(get(header)), 0) << header;
  }
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: x:99999\r\n\r\n"), 0);
  EXPECT_EQ(verdict("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(verdict("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0) << "one leading blank line";
  EXPECT_EQ(verdict("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
}

TEST(RequestHead, RefusesWhatIsNotHttp) {
  const std::string nul("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 29);
  for (const std::string& bytes : {
           get("", "GET  / HTTP/1.1"),
           get("", "GET / HTTP/1.1 "),
           get("", "GET /"),
           get("", "G(T / HTTP/1.1"),
           get("", "GET /a//b HTTP/1.1"),
           get("", "GET x HTTP/1.1"),
           get("", "GET http://x/ HTTP/1.1"),
           get("", "GET /#f HTTP/1.1"),
           get("", "GET /\\a HTTP/1.1"),
           get("", "GET /\x80 HTTP/1.1"),
           get("", "GET * HTTP/1.1"),
           get("", "GET / HTTP/1.1x"),
           get("", "GET / http/1.1"),
           get("NoColon\r\n"),
           get(": empty\r\n"),
           get("A : b\r\n"),
           get(" folded: x\r\n"),
           get("A: b\r\n c\r\n"),
           get("A: \x01\r\n"),
           get("A: \x7f\r\n"),
           nul,
           std::string("\r\n\r\nGET / HTTP/1.1\r\n"),
           std::string("GET / HTTP/1.1\nHost: x\n\n"),
           std::string("GET / HTTP/1.1\rHost: x\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),
           get("Host: y\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
           std::string("\x16\x03\x01\x02"),
       }) {
    EXPECT_EQ(verdict(bytes), 400) << bytes;
  }
}

TEST(RequestHead, RefusesAmbiguousFraming) {
  for (const char* headers :
       {"Content-Length: 3\r\nContent-Length: 5\r\n", "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3, 3\r\n", "Content-Length: +3\r\n", "Content-Length: -1\r\n",
        "Content-Length: 0x3\r\n", "Content-Length: abc\r\n", "Content-Length:\r\n",
        "Content-Length: 9999999999999999\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "X-API-Key: a\r\nX-API-Key: b\r\n", "Content-Type: a\r\ncontent-type: b\r\n"}) {
    EXPECT_EQ(verdict(get(headers)), 400) << headers;
  }
  for (const char* coding :
       {"gzip, chunked", "identity", "chunked, identity", "xchunked", "chunked;a"}) {
    EXPECT_EQ(verdict(get(std::string("Transfer-Encoding: ") + coding + "\r\n")), 501) << coding;
  }
  EXPECT_EQ(verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_TRUE(read(get("Transfer-Encoding: Chunked\r\n")).chunked);
}

TEST(RequestHead, NamesOtherRefusals) {
  EXPECT_EQ(verdict(get("", "TRACE / HTTP/1.1")), 501);
  EXPECT_EQ(verdict(get("", "BREW / HTTP/1.1")), 501);
  EXPECT_EQ(verdict(get("", "GET / HTTP/2.0")), 505);
  EXPECT_EQ(verdict(get("", "GET / HTTP/1.2")), 505);
  EXPECT_EQ(verdict(get("Expect: 200-ok\r\n")), 417);
  EXPECT_EQ(verdict(get("", "GET /" + std::string(5000, 'a') + " HTTP/1.1")), 414);
  EXPECT_EQ(verdict("GET /" + std::string(20000, '/')), 414);
  EXPECT_EQ(verdict(get("A: " + std::string(20000, 'a') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_EQ(verdict(get(many)), 431);
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_FALSE(read(get("Connection: TE , Close\r\n")).keep_alive);
  EXPECT_FALSE(read(get("Connection: close\r\nConnection: keep-alive\r\n")).keep_alive);
}

TEST(HeadReader, StopsAtTheBlankLineWhereverTheBytesAreCut) {
  const std::string bytes = std::string(kPlain) + "BODY";
  for (std::size_t cut = 0; cut <= kPlain.size(); ++cut) {
    HeadReader reader;
    const HeadReader::Step first = reader.feed(std::string_view(bytes).substr(0, cut));
    ASSERT_FALSE(first.problem) << cut;
    std::size_t taken = first.taken;
    if (!first.complete) {
      const HeadReader::Step second = reader.feed(std::string_view(bytes).substr(cut));
      ASSERT_TRUE(second.complete) << cut;
      taken += second.taken;
    }
    EXPECT_EQ(taken, kPlain.size());
    EXPECT_EQ(reader.head(), kPlain);
  }
}

TEST(HeadReader, RefusesAtTheFirstImpossibleByte) {
  HeadReader reader;
  const HeadReader::Step step = reader.feed("GET / HTTP/1.1\nHost: x");
  ASSERT_TRUE(step.problem);
  EXPECT_EQ(step.taken, 15U);
}

TEST(RequestHead, SurvivesMutations) {
  std::mt19937 random(20261);
  int read_whole = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(kPlain);
    for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % bytes.size();
      if (random() % 3 == 0)
        bytes.erase(at, 1 + random() % 4);
      else if (random() % 2 == 0)
        bytes[at] = static_cast<char>(random());
      else
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 8));
      if (bytes.empty()) bytes = "\r";
    }
    const int status = verdict(bytes);
    read_whole += status == 0;
    const bool known = status == -1 || status == 0 || status == 400 || status == 414 ||
                       status == 417 || status == 431 || status == 501 || status == 505;
    EXPECT_TRUE(known) << status;
  }
  EXPECT_GT(read_whole, 100) << "the mutations are too wild to test anything";
}

}  // namespace
}  // namespace pytoon::http
