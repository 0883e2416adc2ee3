#include <algorithm>
#include <random>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

constexpr std::string_view kOutput = "/api/v1/jobs/finished/output";

class DownloadTest : public LiveServer {
 protected:
  DownloadTest() {
    service.artifact = {folder / "output.mp4", "video/mp4", "\"e1\""};
    write_bytes(service.artifact.path, bytes_);
  }

  const std::string bytes_ = noise(2'000'000, 5);
};

TEST_F(DownloadTest, SendsTheWholeFile) {
  const Reply reply = get(kOutput, kReadKey);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body == bytes_);
  EXPECT_EQ(reply.headers.at("content-type"), "video/mp4");
  EXPECT_EQ(reply.headers.at("accept-ranges"), "bytes");
  EXPECT_EQ(reply.headers.at("etag"), "\"e1\"");
  EXPECT_EQ(get("/api/v1/jobs/finished/thumbnail").headers.at("content-type"), "image/jpeg");
}

TEST_F(DownloadTest, AnUploadIsShownAsWhatItIsAndNothingInItRuns) {
  constexpr std::string_view kAsset = "/api/v1/assets/assets/acme/1.png";
  service.asset_artifact = {folder / "output.mp4", "image/png", "\"a1\""};
  const Reply reply = get(kAsset, kReadKey);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body == bytes_);
  EXPECT_EQ(reply.headers.at("content-type"), "image/png");
  EXPECT_EQ(reply.headers.at("content-disposition"), "inline");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_TRUE(reply.headers.at("content-security-policy").ends_with("; sandbox"));
  EXPECT_EQ(get(kAsset, kReadKey, "Range: bytes=5-9\r\n").body, bytes_.substr(5, 5));
  EXPECT_EQ(get(kAsset, kReadKey, "If-None-Match: \"a1\"\r\n").status, 304);
  EXPECT_EQ(get(kAsset, kOtherKey).status, 404);
  EXPECT_EQ(get(kAsset, kSubmitKey).status, 403);
  EXPECT_EQ(get(kAsset, "").status, 401);
  service.asset_artifact.content_type = "application/octet-stream";
  EXPECT_EQ(get(kAsset, kReadKey).headers.at("content-disposition"), "attachment");
}

TEST_F(DownloadTest, SendsRangesByteExactOnOneConnection) {
  RawClient client = this->client();
  std::mt19937 random(6);
  for (int i = 0; i < 40; ++i) {
    const std::size_t first = random() % bytes_.size();
    const std::size_t last = std::min(bytes_.size() - 1, first + random() % 200'000);
    const std::string range = std::to_string(first) + "-" + std::to_string(last);
    const Reply reply = client.ask(
        request("GET", kOutput, key_header(kReadKey) + "Range: bytes=" + range + "\r\n"));
    ASSERT_EQ(reply.status, 206) << range;
    EXPECT_EQ(reply.headers.at("content-range"), "bytes " + range + "/2000000");
    EXPECT_TRUE(reply.body == bytes_.substr(first, last - first + 1)) << range;
    EXPECT_EQ(reply.headers.at("connection"), "keep-alive");
  }
}

TEST_F(DownloadTest, AnswersRangesAndConditions) {
  const auto status = [&](const std::string& headers) {
    return get(kOutput, kReadKey, headers).status;
  };
  EXPECT_EQ(status("Range: bytes=2000000-\r\n"), 416);
  EXPECT_EQ(get(kOutput, kReadKey, "Range: bytes=2000000-\r\n").headers.at("content-range"),
            "bytes */2000000");
  EXPECT_EQ(status("Range: bytes=0-1,5-6\r\n"), 200);
  EXPECT_EQ(status("If-None-Match: \"e1\"\r\n"), 304);
  EXPECT_EQ(status("If-None-Match: \"e1\"\r\nRange: bytes=0-1\r\n"), 304);
  EXPECT_EQ(status("If-None-Match: \"e2\"\r\n"), 200);
  EXPECT_EQ(status("If-Range: \"e1\"\r\nRange: bytes=0-1\r\n"), 206);
  EXPECT_EQ(status("If-Range: \"old\"\r\nRange: bytes=0-1\r\n"), 200);
  EXPECT_EQ(get(kOutput, kReadKey, "Range: bytes=-3\r\n").body, bytes_.substr(bytes_.size() - 3));
}

TEST_F(DownloadTest, HeadHasTheLengthAndNoBody) {
  RawClient client = this->client();
  client.send(request("HEAD", kOutput, key_header(kReadKey) + "Range: bytes=0-9\r\n"));
  const Reply head = client.reply(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "2000000");
  EXPECT_EQ(client.ask(request("GET", "/health")).status, 200) << "nothing may follow the head";
}

TEST_F(DownloadTest, GoesOnWithWhatWasSentAhead) {
  RawClient client = this->client();
  client.send(request("GET", kOutput, key_header(kReadKey)) + request("GET", "/health"));
  EXPECT_EQ(client.reply().body.size(), bytes_.size());
  EXPECT_EQ(client.reply().status, 200);
}

TEST_F(DownloadTest, AMissingFileIsNotFound) {
  std::filesystem::remove(service.artifact.path);
  const Reply reply = get(kOutput);
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body.find(folder.string()), std::string::npos);
}

TEST_F(DownloadTest, DisconnectsLeaveNothingBehind) {
  EXPECT_TRUE(alive());
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 60; ++i) {
    RawClient client(server->port(), 4096);
    client.send(request("GET", kOutput, key_header(kReadKey)));
    if (i % 3 != 0) client.read_until("\r\n\r\n");
    if (i % 2 == 0) client.reset();
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before && server->in_flight() == 0; }))
      << open_descriptors() << " > " << before;
  EXPECT_TRUE(alive());
}

class StalledReaderTest : public DownloadTest {
  void SetUp() override {
    options.time.stall = std::chrono::milliseconds(700);
    // More than a socket buffer ever holds.
    std::filesystem::resize_file(service.artifact.path, 20'000'000);
    start();
  }
};

TEST_F(StalledReaderTest, AreDroppedAndHinderNobody) {
  std::vector<RawClient> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.emplace_back(server->port(), 4096);
    stalled.back().send(request("GET", kOutput, key_header(kReadKey)));
  }
  EXPECT_TRUE(eventually([&] { return server->in_flight() == 20; }));
  EXPECT_EQ(get(kOutput, kReadKey).body.size(), 20'000'000U);
  EXPECT_TRUE(alive());
  EXPECT_TRUE(eventually([&] { return server->in_flight() == 0; }));
  const auto all = served();
  EXPECT_EQ(
      std::count_if(all.begin(), all.end(), [](const AccessRecord& one) { return !one.whole; }),
      20);
}

TEST_F(StalledReaderTest, PipelinersThatDoNotReadAreDropped) {
  RawClient client(server->port(), 4096);
  std::string ahead;
  for (int i = 0; i < 100; ++i) ahead += request("GET", "/openapi.json");
  bool open = true;
  for (int i = 0; i < 100'000 && open; ++i) open = client.send(ahead);
  EXPECT_FALSE(open);
  EXPECT_TRUE(alive());
}

}  // namespace
}  // namespace pytoon::http::testing_support
