// S3Storage under the contract of all stores, on a real server.
#include "tests/server/io/storage/s3_fixture.h"
#include "tests/server/io/storage/storage_contract.h"

namespace pytoon::io {
namespace {

class S3UnderTest final : public StoreUnderTest {
 public:
  jobs::ObjectStore& store() override { return *rig_.storage; }
  Status broken_put(const std::filesystem::path& file, const std::string& key) override {
    rig_.gate.set({.cut_after = 1 << 20});
    Status done = rig_.storage->put(file, key);
    rig_.gate.set({});
    return done;
  }
  // Straight to the server: the gate's thread lives in the parent only. A client of its own, too.
  void put_until_killed(const std::function<std::filesystem::path()>& next_file,
                        const std::string& key) override {
    CurlClient http;
    const S3Options options = rig_.options_for(the_s3_server().port());
    auto storage = S3Storage::open(options, rig_.folder.path(), 0, http, rig_.clock);
    while (storage && (*storage)->put(next_file(), key)) {
    }
  }
  bool has_urls() const override { return true; }

 private:
  S3Rig rig_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(S3, StorageContract, testing::Values(StoreMaker([] {
                           return std::make_unique<S3UnderTest>();
                         })));

}  // namespace pytoon::io
