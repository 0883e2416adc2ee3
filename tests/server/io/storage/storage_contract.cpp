#include "tests/server/io/storage/storage_contract.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/files.h"

namespace pytoon::io {
namespace fs = std::filesystem;

fs::path StorageContract::staged(const std::string& bytes) {
  fs::path path = store().staging("file");
  EXPECT_TRUE(write_file_atomically(path, bytes));
  return path;
}

Status StorageContract::put(const std::string& key, const std::string& bytes) {
  return store().put(staged(bytes), key);
}

std::string StorageContract::read(const std::string& key) {
  const Result<fs::path> path = store().local(key);
  EXPECT_TRUE(path) << path.failure().detail;
  return path ? *read_file(*path) : std::string();
}

TEST_P(StorageContract, WhatIsPutCanBeReadReplacedAndRemoved) {
  const std::string key = "jobs/1/output.mp4";
  EXPECT_FALSE(*store().contains(key));
  EXPECT_EQ(store().local(key).failure().kind, FailureKind::kNotFound);
  const fs::path file = staged("first");
  ASSERT_TRUE(store().put(file, key));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(read(key), "first");
  EXPECT_EQ(store().local(key)->extension(), ".mp4");
  ASSERT_TRUE(put(key, "second"));
  EXPECT_EQ(read(key), "second");
  EXPECT_TRUE(*store().contains(key));
  ASSERT_TRUE(store().remove(key));
  EXPECT_FALSE(*store().contains(key));
  EXPECT_EQ(store().local(key).failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store().remove(key));
}

TEST_P(StorageContract, NothingButKeysIsTaken) {
  for (const char* key : {"", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", ".hidden",
                          "a/.tmp/b", "a\\b", "a b", "a\nb", "ü", "a?b", "a%2fb"}) {
    EXPECT_EQ(put(key, "x").failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().contains(key).failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().local(key).failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().remove(key).failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().link("a", key).failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().link(key, "a").failure().kind, FailureKind::kInvalid) << key;
    EXPECT_EQ(store().presigned(key, std::chrono::seconds(60)).failure().kind,
              FailureKind::kInvalid);
  }
}

TEST_P(StorageContract, EmptyAndLargeObjects) {
  ASSERT_TRUE(put("empty", ""));
  EXPECT_EQ(read("empty"), "");
  std::string bytes(12 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += 509) bytes[i] = static_cast<char>(i >> 9U);
  ASSERT_TRUE(put("large.bin", bytes));
  EXPECT_TRUE(read("large.bin") == bytes);
}

TEST_P(StorageContract, ALinkShowsItsTarget) {
  ASSERT_TRUE(put("segments/a.1.mp4", "old"));
  ASSERT_TRUE(put("segments/a.2.mp4", "new"));
  const std::string key = "jobs/1/segments/seg_000.mp4";
  ASSERT_TRUE(store().link("segments/a.1.mp4", key));
  EXPECT_EQ(read(key), "old");
  ASSERT_TRUE(store().link("segments/a.2.mp4", key));
  EXPECT_EQ(read(key), "new");
  EXPECT_EQ(store().link("segments/none", key).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(read(key), "new");
}

TEST_P(StorageContract, ListsWhatIsThereWithAges) {
  const WallTime before = SystemClock().now();
  ASSERT_TRUE(put("list/a/1", "x"));
  ASSERT_TRUE(put("list/a/22", "xx"));
  ASSERT_TRUE(put("list/b", "xxx"));
  ASSERT_TRUE(store().link("list/b", "list/a/link"));
  static_cast<void>(staged("not put"));
  const auto keys = [this](const std::string& prefix) {
    auto found = store().list(prefix);
    EXPECT_TRUE(found) << found.failure().detail;
    std::vector<std::string> names;
    if (!found) return names;
    for (const auto& object : *found) names.push_back(object.key);
    std::sort(names.begin(), names.end());
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(keys("list/"), (Names{"list/a/1", "list/a/22", "list/a/link", "list/b"}));
  EXPECT_EQ(keys("list/a/2"), (Names{"list/a/22"}));
  EXPECT_EQ(keys("list"), keys("list/"));
  EXPECT_EQ(keys(""), keys("list"));
  EXPECT_EQ(keys("none/"), Names{});
  EXPECT_EQ(store().list("../").failure().kind, FailureKind::kInvalid);
  const auto found = store().list("list/b");
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().bytes, 3);
  EXPECT_GT(found->front().changed_at, before - std::chrono::seconds(5));
  EXPECT_LT(found->front().changed_at, SystemClock().now() + std::chrono::seconds(5));
}

TEST_P(StorageContract, AWalkShowsEachObjectOnceInPages) {
  std::set<std::string> left;
  for (int i = 0; i < 23; ++i) {
    const std::string key = "walk/" + std::to_string(i % 3) + "/" + std::to_string(i);
    ASSERT_TRUE(put(key, "x"));
    left.insert(key);
  }
  ASSERT_TRUE(put("beside", "x"));
  auto walk = store().walk("walk/");
  ASSERT_TRUE(walk) << walk.failure().detail;
  for (;;) {
    const auto page = (*walk)->next(5);
    ASSERT_TRUE(page) << page.failure().detail;
    ASSERT_LE(page->size(), 5U);
    if (page->empty()) break;
    for (const auto& object : *page) {
      EXPECT_EQ(left.erase(object.key), 1U) << object.key;
      EXPECT_TRUE(store().remove(object.key));  // what is shown may go at once
    }
  }
  EXPECT_TRUE(left.empty());
  EXPECT_TRUE((*walk)->next(5)->empty());
  EXPECT_EQ(store().walk("../").failure().kind, FailureKind::kInvalid);
}

TEST_P(StorageContract, TellsTheTimeThatAgesAreCountedBy) {
  ASSERT_TRUE(put("young", "x"));
  const auto now = store().now();
  ASSERT_TRUE(now) << now.failure().detail;
  const auto age = *now - store().list("young")->front().changed_at;
  EXPECT_LT(age, std::chrono::seconds(10));
  EXPECT_GT(age, -std::chrono::seconds(2));  // S3 tells whole seconds
}

TEST_P(StorageContract, AMissingFileIsNotFoundAndTouchesNothing) {
  ASSERT_TRUE(put("a", "old"));
  EXPECT_EQ(store().put(folder_.path() / "none", "a").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(read("a"), "old");
}

TEST_P(StorageContract, AFileFromElsewhereIsTakenAndGone) {
  for (const fs::path& base : {folder_.path(), fs::temp_directory_path()}) {
    const fs::path file = base / ("pytoon-elsewhere-" + std::to_string(::getpid()));
    ASSERT_TRUE(write_file_atomically(file, "bytes"));
    ASSERT_TRUE(store().put(file, "elsewhere"));
    EXPECT_EQ(read("elsewhere"), "bytes");
    EXPECT_FALSE(fs::exists(file));
  }
}

TEST_P(StorageContract, ReadersNeverSeeAMixture) {
  constexpr int kWriters = 3;
  constexpr int kPuts = 8;
  ASSERT_TRUE(put("shared", std::string(100'000, '.')));
  std::vector<std::thread> writers;
  std::atomic<int> writing{kWriters};
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kPuts; ++i) {
        const auto size = static_cast<std::size_t>(100'000 + w * 1000);
        EXPECT_TRUE(put("shared", std::string(size, static_cast<char>('a' + w))));
      }
      --writing;
    });
  }
  int reads = 0;
  while (writing > 0 || reads == 0) {
    const std::string bytes = read("shared");
    ASSERT_GE(bytes.size(), 100'000U);
    const auto expected =
        bytes.front() == '.' ? 100'000U : 100'000U + 1000U * static_cast<unsigned>(bytes[0] - 'a');
    EXPECT_EQ(bytes.size(), expected);
    EXPECT_EQ(bytes.find_first_not_of(bytes.front()), std::string::npos);
    ++reads;
  }
  for (std::thread& writer : writers) writer.join();
}

TEST_P(StorageContract, APutThatBreaksOffLeavesWhatWasThere) {
  const std::string bytes(7 << 20, 'n');
  EXPECT_FALSE(under_test_->broken_put(staged(bytes), "fresh"));
  EXPECT_FALSE(*store().contains("fresh"));
  ASSERT_TRUE(put("kept", "old"));
  EXPECT_FALSE(under_test_->broken_put(staged(bytes), "kept"));
  EXPECT_EQ(read("kept"), "old");
  ASSERT_TRUE(put("kept", bytes));
  EXPECT_TRUE(read("kept") == bytes);
}

TEST_P(StorageContract, AWriterThatIsKilledLeavesWholeObjects) {
  constexpr int kRounds = 8;
  SystemClock clock;
  ASSERT_TRUE(put("victim", std::string(1 << 20, '0')));
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      int made = 0;
      under_test_->put_until_killed(
          [&] {
            const fs::path file = folder_.path() / std::to_string(++made);
            const Status written = write_file_atomically(
                file, std::string(1 << 20, static_cast<char>('a' + made % 26)));
            return written ? file : fs::path();
          },
          "victim");
      ::_exit(1);
    }
    clock.sleep_for(std::chrono::milliseconds(40 + 23 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed by itself";
    const std::string bytes = read("victim");
    EXPECT_EQ(bytes.size(), std::size_t{1} << 20);
    EXPECT_EQ(bytes.find_first_not_of(bytes.front()), std::string::npos);
  }
}

TEST_P(StorageContract, SaysWhetherItCanBeWritten) {
  const Status writable = store().writable();
  EXPECT_TRUE(writable) << writable.failure().detail;
  const auto url = store().presigned("a", std::chrono::seconds(60));
  ASSERT_TRUE(url);
  EXPECT_EQ(url->has_value(), under_test_->has_urls());
}

}  // namespace pytoon::io
