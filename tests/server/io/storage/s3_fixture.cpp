#include "tests/server/io/storage/s3_fixture.h"

namespace pytoon::io {
namespace {

// Started once, ended with the program's tests.
class ServerEnvironment final : public testing::Environment {
 public:
  void TearDown() override { server_.reset(); }
  support::S3Server& server() {
    if (!server_) server_ = std::make_unique<support::S3Server>();
    return *server_;
  }

 private:
  std::unique_ptr<support::S3Server> server_;
};

ServerEnvironment& environment() {
  // GoogleTest owns it.
  static auto* const made = static_cast<ServerEnvironment*>(
      testing::AddGlobalTestEnvironment(std::make_unique<ServerEnvironment>().release()));
  return *made;
}

std::string next_bucket() {
  static int buckets = 0;
  return "bucket-" + std::to_string(++buckets);
}

}  // namespace

support::S3Server& the_s3_server() { return environment().server(); }

S3Rig::S3Rig() : bucket(next_bucket()), options(options_for(gate.port())) {
  S3Client client(options, http, clock);
  const auto made = client.send({.method = "PUT", .body = std::string()});
  EXPECT_TRUE(made) << made.failure().detail << the_s3_server().log();
  storage = open(options);
}

S3Options S3Rig::options_for(int port) const {
  auto made = make_s3_options({"http://127.0.0.1:" + std::to_string(port),
                               support::S3Server::kKeyId, support::S3Server::kSecret, bucket, ""});
  EXPECT_TRUE(made) << made.failure().detail;
  made->part_bytes = 5 << 20;  // the least that S3 takes
  made->tries = 3;
  made->backoff = {std::chrono::milliseconds(10), std::chrono::milliseconds(50)};
  return *made;
}

std::unique_ptr<S3Storage> S3Rig::open(const S3Options& wanted) {
  auto opened = S3Storage::open(wanted, folder.path(), 0, http, clock);
  EXPECT_TRUE(opened) << opened.failure().detail;
  return std::move(opened).value();
}

}  // namespace pytoon::io
