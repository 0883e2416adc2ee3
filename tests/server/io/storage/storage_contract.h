// What every ObjectStore must do, whatever it stores in. A back end gives a maker of stores and
// instantiates the suite.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "server/jobs/object_store.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {

// A store, and all that it needs to live.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual jobs::ObjectStore& store() = 0;
  // A put() that breaks off on the way; its failure.
  virtual Status broken_put(const std::filesystem::path& file, const std::string& key) = 0;
  // Called in a process of its own that is killed at any moment: puts the file until then.
  virtual void put_until_killed(const std::function<std::filesystem::path()>& next_file,
                                const std::string& key) = 0;
  virtual bool has_urls() const = 0;
};

using StoreMaker = std::function<std::unique_ptr<StoreUnderTest>()>;

class StorageContract : public testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override {
    under_test_ = GetParam()();
    ASSERT_NE(under_test_, nullptr);
  }
  jobs::ObjectStore& store() { return under_test_->store(); }
  std::filesystem::path staged(const std::string& bytes);
  Status put(const std::string& key, const std::string& bytes);
  std::string read(const std::string& key);  // "" and a failure when there is none

  support::TemporaryFolder folder_;
  std::unique_ptr<StoreUnderTest> under_test_;
};

}  // namespace pytoon::io
