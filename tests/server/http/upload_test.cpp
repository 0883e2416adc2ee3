#include <array>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using nlohmann::json;

class UploadTest : public LiveServer {
 protected:
  Reply upload(const std::string& form, std::string_view key = kSubmitKey) const {
    return post(kUpload, kFormType, form, key);
  }
  bool spool_is_empty() const { return std::filesystem::is_empty(options.spool_folder); }
};

TEST_F(UploadTest, KeepsAFile) {
  const std::string file("\x89PNG\r\n--frontie\r\n\0\xff", 20);
  const Reply reply = upload(form_of(file, "image", "../../etc/passwd"));
  ASSERT_EQ(reply.status, 201) << reply.body;
  const json asset = json::parse(reply.body);
  EXPECT_EQ(asset.at("sha256"), sha256_hex(file));
  EXPECT_EQ(asset.at("size"), file.size());
  EXPECT_EQ(asset.at("width"), 4);
  EXPECT_FALSE(asset.contains("duration_seconds"));
  EXPECT_EQ(service.last_upload().client_name, "../../etc/passwd");
  EXPECT_TRUE(eventually([&] { return spool_is_empty(); }));
}

TEST_F(UploadTest, RefusesBrokenForms) {
  const std::string good = form_of("x", "image");
  EXPECT_EQ(upload(good.substr(0, good.size() - 6)).status, 400) << "no closing boundary";
  EXPECT_EQ(upload("garbage").status, 400);
  EXPECT_EQ(upload(form_of("x", "nonsense")).status, 422);
  EXPECT_EQ(upload("--frontier--\r\n").status, 422);
  EXPECT_EQ(
      upload("--frontier\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--frontier--")
          .status,
      422);
  EXPECT_EQ(upload("").status, 400);
  EXPECT_EQ(post(kUpload, "Content-Type: application/json\r\n", "{}").status, 415);
  EXPECT_EQ(post(kUpload, "Content-Type: multipart/form-data\r\n", "x").status, 400);
  std::string parts;
  for (int i = 0; i < 10000; ++i) parts += "--frontier\r\n";
  EXPECT_EQ(upload(parts).status, 400);
  EXPECT_EQ(service.uploads, 0);
  EXPECT_TRUE(eventually([&] { return spool_is_empty(); }));
}

TEST_F(UploadTest, StreamsTwentyMegabytesInLittleMemory) {
  const std::string file = noise(20'000'000, 9);
  const std::string bytes = request(
      "POST", kUpload, key_header(kSubmitKey) + std::string(kFormType), form_of(file, "image"));
  ASSERT_EQ(upload(form_of("warm", "image")).status, 201);
  const std::size_t before = resident_bytes();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    ASSERT_TRUE(clients.back().send(bytes));
  }
  for (RawClient& one : clients) EXPECT_EQ(one.reply().status, 201);
  EXPECT_LT(grown_since(before), 15'000'000U);
  EXPECT_EQ(service.last_upload().sha256, sha256_hex(file));
}

TEST_F(UploadTest, RefusesAFileOverTheLimitByCounting) {
  std::string chunked;
  const std::string form = form_of(std::string(20'000'001, 'x'), "image");
  for (std::size_t at = 0; at < form.size(); at += 0x100000) {
    const std::string piece = form.substr(at, 0x100000);
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    chunked += size.data() + piece + "\r\n";
  }
  const Reply reply = client().ask(
      request("POST", kUpload,
              key_header(kSubmitKey) + std::string(kFormType) + "Transfer-Encoding: chunked\r\n") +
      chunked + "0\r\n\r\n");
  EXPECT_EQ(reply.status, 413);
  EXPECT_NE(reply.body.find("is over 20 MB (20000000 bytes), the most for the category image"),
            std::string::npos)
      << reply.body;
  EXPECT_NE(reply.body.find("/file"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return spool_is_empty(); }));
}

TEST_F(UploadTest, AVanishedClientLeavesNoFile) {
  const std::string bytes =
      request("POST", kUpload, key_header(kSubmitKey) + std::string(kFormType),
              form_of(std::string(500'000, 'x'), "image"));
  for (int i = 0; i < 20; ++i) {
    RawClient client = this->client();
    client.send(bytes.substr(0, 300'000));
    if (i == 0) {
      EXPECT_TRUE(eventually([&] { return !spool_is_empty(); }));
    }
    if (i % 2 == 0) client.reset();
  }
  EXPECT_TRUE(eventually([&] { return spool_is_empty() && server->in_flight() == 0; }));
  EXPECT_TRUE(alive());
}

}  // namespace
}  // namespace pytoon::http::testing_support
