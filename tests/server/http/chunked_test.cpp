#include "server/http/chunked.h"

#include <gtest/gtest.h>

namespace pytoon::http {
namespace {

struct Decoded {
  bool ok = true;
  bool done = false;
  std::string body;
  std::size_t taken = 0;
};

Decoded decode(std::string_view bytes, std::size_t step = std::string_view::npos) {
  Decoded result;
  ChunkedDecoder decoder;
  while (result.taken < bytes.size() && !decoder.done()) {
    const auto taken = decoder.feed(bytes.substr(result.taken, step), [&](std::string_view piece) {
      result.body += piece;
      return ok_status();
    });
    if (!taken) {
      result.ok = false;
      return result;
    }
    result.taken += *taken;
  }
  result.done = decoder.done();
  return result;
}

constexpr std::string_view kBody =
    "4\r\nWiki\r\nA;ext=\"1\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

TEST(Chunked, DecodesHoweverItIsCut) {
  const std::string bytes = std::string(kBody) + "GET / HTTP/1.1";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Decoded result = decode(bytes, step);
    EXPECT_TRUE(result.ok && result.done) << step;
    EXPECT_EQ(result.body, "Wiki0123456789");
    EXPECT_EQ(result.taken, kBody.size()) << "the next request must stay";
  }
}

TEST(Chunked, RefusesWhatIsNotChunked) {
  for (const char* bytes : {"x\r\n", "\r\n", "-1\r\n", "0x4\r\nWiki\r\n", "4\nWiki\r\n0\r\n\r\n",
                            "4\r\nWikiX\r\n", "4\r\nWiki\n0\r\n\r\n", "123456789\r\n",
                            "4 4\r\nWiki\r\n", "4\rX\nWiki", "4;\x01\r\n", "0\r\nA\n\r\n"}) {
    EXPECT_FALSE(decode(bytes).ok) << bytes;
  }
}

TEST(Chunked, BoundsExtensionsAndTrailers) {
  EXPECT_FALSE(decode("4;" + std::string(2000, 'x') + "\r\n").ok);
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "1;" + std::string(500, 'x') + "\r\na\r\n";
  EXPECT_FALSE(decode(bytes).ok);
  bytes = "0\r\n";
  for (int i = 0; i < 1000; ++i) bytes += "Trailer-Number: 1234567890\r\n";
  EXPECT_FALSE(decode(bytes).ok);
}

TEST(Chunked, PassesTheSinksFailureOn) {
  ChunkedDecoder decoder;
  const auto taken = decoder.feed("4\r\nWiki", [](std::string_view) -> Status {
    return failure(FailureKind::kTooLarge, "enough");
  });
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.failure().kind, FailureKind::kTooLarge);
}

}  // namespace
}  // namespace pytoon::http
