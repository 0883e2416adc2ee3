// Seeded mutations of good requests, many on one connection, with half-closes and resets.
#include <random>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

class FuzzTest : public LiveServer {
  void SetUp() override {
    options.time.head = options.time.body_grace = std::chrono::milliseconds(500);
    options.time.linger = std::chrono::milliseconds(500);
    start();
  }

 protected:
  std::vector<std::string> corpus() const {
    const std::string json = key_header(kAdminKey) + "Content-Type: application/json\r\n";
    return {
        request("GET", "/api/v1/jobs?status=QUEUED&limit=5", key_header(kReadKey)),
        request("GET", "/api/v1/jobs/queued/segments",
                key_header(kReadKey) + "Range: bytes=0-5\r\n"),
        request("HEAD", "/openapi.json", "Accept: */*\r\n"),
        request("POST", "/api/v1/jobs", json + "Idempotency-Key: k\r\n",
                R"({"preset_id":"p","a":[1,{"b":"c"}]})"),
        request("POST", "/api/v1/jobs",
                json + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n") +
            "5\r\n{\"pre\r\n12;x=y\r\nset_id\":\"p\",\"x\":0}\r\n0\r\nT: x\r\n\r\n",
        request("POST", "/api/v1/assets/upload", key_header(kSubmitKey) + std::string(kFormType),
                form_of("some bytes of a picture", "image")),
    };
  }

  std::string mutate(std::string bytes) {
    static constexpr std::array<std::string_view, 12> kPieces{"\r\n",
                                                              "\n",
                                                              "\r",
                                                              ":",
                                                              " ",
                                                              "Content-Length: 9999999999\r\n",
                                                              "Transfer-Encoding: chunked\r\n",
                                                              "//",
                                                              "%00",
                                                              "\xff\xfe",
                                                              "0\r\n\r\n",
                                                              "HTTP/1.1"};
    for (unsigned edits = 1 + random_() % 3; edits > 0; --edits) {
      const std::size_t at = random_() % (bytes.size() + 1);
      switch (random_() % 5) {
        case 0:
          bytes.erase(std::min(at, bytes.size()), 1 + random_() % 20);
          break;
        case 1:
          if (at < bytes.size()) bytes[at] = static_cast<char>(random_());
          break;
        case 2:
          bytes.insert(at, kPieces.at(random_() % kPieces.size()));
          break;
        case 3:
          bytes.insert(at, bytes.substr(at, random_() % 64));
          break;
        default:
          bytes.insert(at, std::string(random_() % 3000, "a/ ;[\0"[random_() % 6]));
      }
    }
    return bytes;
  }

  std::mt19937 random_{20260731};
};

TEST_F(FuzzTest, ThreeThousandMutatedRequests) {
  const auto good = corpus();
  for (const std::string& bytes : good) {
    RawClient client = this->client();
    client.send(bytes);
    ASSERT_EQ(client.reply(bytes.starts_with("HEAD")).status / 100, 2) << bytes;
  }
  const std::size_t before = resident_bytes();
  const std::size_t descriptors = open_descriptors();
  for (int round = 0; round < 1000; ++round) {
    RawClient client = this->client();
    for (int i = 0; i < 3; ++i) {
      if (!client.send(mutate(good[random_() % good.size()]))) break;
    }
    if (round % 7 == 0) client.reset();
    if (round % 100 == 0) {
      ASSERT_TRUE(alive()) << round;
    }
  }
  EXPECT_TRUE(alive());
  EXPECT_TRUE(
      eventually([&] { return server->in_flight() == 0 && open_descriptors() <= descriptors; }));
  EXPECT_LT(grown_since(before), 40'000'000U);
  EXPECT_TRUE(std::filesystem::is_empty(options.spool_folder));
  std::size_t answers = 0;
  for (const AccessRecord& one : served()) {
    ++answers;
    EXPECT_TRUE(one.status < 500 || one.status == 501 || one.status == 505)
        << one.route << one.status;
  }
  EXPECT_GT(answers, 1000U);
}

}  // namespace
}  // namespace pytoon::http::testing_support
