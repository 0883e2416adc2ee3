#include "server/app/work_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST(WorkFolder, ProcessesWorkSideBySideAndLeaveNothing) {
  const support::TemporaryFolder place("pytoon-work");
  {
    const auto one = WorkFolder::make(place.path() / "out");
    const auto other = WorkFolder::make(place.path() / "out");
    ASSERT_TRUE(one && other);
    EXPECT_NE((*one)->path(), (*other)->path());
    EXPECT_TRUE(fs::exists((*one)->path())) << "the second took nothing from the first";
    EXPECT_TRUE(fs::exists((*other)->path()));
  }
  EXPECT_EQ(entries(place.path() / "out"), 0);
}

TEST(WorkFolder, WhatAKilledProcessLeftGoesWithTheNext) {
  const support::TemporaryFolder place("pytoon-work");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto made = WorkFolder::make(place.path());
    ::_exit(made ? 0 : 1);  // no destructor runs
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(entries(place.path()), 1);
  const auto next = WorkFolder::make(place.path());
  ASSERT_TRUE(next);
  EXPECT_EQ(entries(place.path()), 1);
}

TEST(WorkFolder, WhereNothingCanBeMadeIsSaid) {
  const auto made = WorkFolder::make("/dev/null/out");
  ASSERT_FALSE(made);
  EXPECT_NE(made.failure().detail.find("/dev/null/out"), std::string::npos);
}

}  // namespace pytoon::app
