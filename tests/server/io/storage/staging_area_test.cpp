#include "server/io/storage/staging_area.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {
namespace fs = std::filesystem;

TEST(StagingArea, KeepsLiveOnesAndRemovesDeadOnes) {
  const support::TemporaryFolder folder;
  const fs::path parent = folder.path() / "tmp";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto area = StagingArea::shared(parent);
    const bool fine = area && write_file_atomically((*area)->fresh("dead"), "x");
    if (fine) ::pause();
    ::_exit(1);
  }
  SystemClock clock;
  const auto files = [&parent] {
    std::vector<fs::path> found;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(parent, ignored)) {
      if (entry.is_regular_file() && entry.path().extension() != ".lock") {
        found.push_back(entry.path());
      }
    }
    return found;
  };
  while (files().empty() || files().front().filename() != "1-dead") {
    clock.sleep_for(std::chrono::milliseconds(1));
  }
  const auto mine = StagingArea::shared(parent);
  ASSERT_TRUE(mine) << mine.failure().detail;
  ASSERT_TRUE(write_file_atomically((*mine)->fresh("mine"), "x"));
  EXPECT_EQ(files().size(), 2U);  // the child lives
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  fs::create_directory(parent / "stray");
  const auto next = StagingArea::shared(parent);
  ASSERT_TRUE(next);
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(files().front().filename(), "1-mine");
  EXPECT_FALSE(fs::exists(parent / "stray"));
}

TEST(StagingArea, LeavesNothingWhenItEnds) {
  const support::TemporaryFolder folder;
  {
    const auto area = StagingArea::shared(folder.path() / "tmp");
    ASSERT_TRUE(area);
    ASSERT_TRUE(write_file_atomically((*area)->fresh("a.mp4"), "x"));
    EXPECT_NE((*area)->fresh("a.mp4"), (*area)->fresh("a.mp4"));
    EXPECT_EQ((*area)->fresh("a.mp4").extension(), ".mp4");
  }
  EXPECT_TRUE(fs::is_empty(folder.path() / "tmp"));
}

TEST(StagingArea, ASoleOneClearsEverything) {
  const support::TemporaryFolder folder;
  fs::create_directories(folder.path() / "tmp/old");
  const auto area = StagingArea::sole(folder.path() / "tmp");
  ASSERT_TRUE(area);
  EXPECT_TRUE(fs::is_empty(folder.path() / "tmp"));
  EXPECT_FALSE(StagingArea::shared("/proc/none"));
}

}  // namespace pytoon::io
