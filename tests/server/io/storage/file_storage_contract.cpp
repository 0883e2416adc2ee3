// FileStorage, alone and shared, under the contract of all stores.
#include "server/io/file_storage.h"
#include "tests/server/io/storage/storage_contract.h"

namespace pytoon::io {
namespace {

// Fails at a chosen step.
class FailingDisk final : public Disk {
 public:
  Status sync_file(const std::filesystem::path& path) override {
    return failing ? full() : real_.sync_file(path);
  }
  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return real_.rename(from, to);
  }
  Status sync_folder(const std::filesystem::path& path) override { return real_.sync_folder(path); }
  bool failing = false;

 private:
  static Status full() { return failure(FailureKind::kStorageFull, "no space left"); }
  RealDisk real_;
};

class FilesUnderTest final : public StoreUnderTest {
 public:
  explicit FilesUnderTest(Sharing sharing)
      : storage_(*FileStorage::open(folder_.path() / "storage", 0, {sharing, &disk_})) {}

  jobs::ObjectStore& store() override { return *storage_; }
  Status broken_put(const std::filesystem::path& file, const std::string& key) override {
    disk_.failing = true;
    Status done = storage_->put(file, key);
    disk_.failing = false;
    EXPECT_EQ(done.failure().kind, FailureKind::kStorageFull);
    return done;
  }
  void put_until_killed(const std::function<std::filesystem::path()>& next_file,
                        const std::string& key) override {
    while (storage_->put(next_file(), key)) {
    }
  }
  bool has_urls() const override { return false; }

 private:
  support::TemporaryFolder folder_;
  FailingDisk disk_;
  std::unique_ptr<FileStorage> storage_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Files, StorageContract, testing::Values(StoreMaker([] {
                           return std::make_unique<FilesUnderTest>(Sharing::kExclusive);
                         })));
INSTANTIATE_TEST_SUITE_P(SharedFiles, StorageContract, testing::Values(StoreMaker([] {
                           return std::make_unique<FilesUnderTest>(Sharing::kShared);
                         })));

}  // namespace pytoon::io
