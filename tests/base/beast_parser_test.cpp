// Why server/http/request_head.h is ours although Boost is here: what Beast's parser of requests
// takes and a server behind a proxy must refuse (RFC 9112 sections 5.2 and 6.3). docs/adr/0012
// rests on it.
#include <gtest/gtest.h>

#include <boost/beast/http.hpp>
#include <string>
#include <string_view>

namespace pytoon {
namespace {

namespace http = boost::beast::http;

// Whether Beast takes the bytes for a whole request.
bool taken(std::string_view bytes) {
  http::request_parser<http::string_body> parser;
  boost::beast::error_code error;
  parser.eager(true);
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  return !error && parser.is_done();
}

TEST(BeastParser, RefusesWhatIsNoRequest) {
  EXPECT_TRUE(taken("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(taken("GET /\r\n\r\n"));
}

TEST(BeastParser, TakesFoldedHeaders) {
  EXPECT_TRUE(taken("GET / HTTP/1.1\r\nHost: a\r\nX-Key: one\r\n two\r\n\r\n"));
}

TEST(BeastParser, TakesSeveralContentLengths) {
  EXPECT_TRUE(
      taken("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"));
  EXPECT_TRUE(taken("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nab"));
}

TEST(BeastParser, TakesBytesAboveAsciiInATarget) {
  EXPECT_TRUE(taken("GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"));
}

TEST(BeastParser, TakesARequestWithoutOrWithTwoHosts) {
  EXPECT_TRUE(taken("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(taken("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
}

}  // namespace
}  // namespace pytoon
