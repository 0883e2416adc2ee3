#include "server/io/redis/link_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "server/io/backoff.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::io {

TEST(LinkWatch, LogsChangesOnly) {
  testing_support::HandClock clock;
  std::ostringstream out;
  Log log(clock, out);
  LinkWatch watch("notifier", clock, log);
  EXPECT_FALSE(watch.state().connected);
  const auto lines = [&out] {
    const std::string text = out.str();
    return std::count(text.begin(), text.end(), '\n');
  };
  watch.down("refused");
  watch.down("refused again");
  EXPECT_EQ(lines(), 1);
  EXPECT_EQ(watch.state().detail, "refused again");
  const WallTime missing_since = watch.state().since;
  clock.advance(std::chrono::milliseconds(1500));
  watch.down("still");
  EXPECT_EQ(watch.state().since, missing_since);
  watch.up();
  watch.up();
  EXPECT_EQ(lines(), 2);
  EXPECT_TRUE(watch.state().connected);
  EXPECT_EQ(watch.state().detail, "");
  EXPECT_EQ(watch.state().since, clock.now());
  EXPECT_NE(out.str().find("\"missing_seconds\":1.5"), std::string::npos) << out.str();
  EXPECT_EQ(watch.state().connects, 1);
  watch.down("gone");
  EXPECT_EQ(lines(), 3);
  watch.up();
  EXPECT_EQ(watch.state().connects, 2);
  EXPECT_EQ(watch.state().failures, 4);
}

TEST(Backoff, DoublesToItsMostAndSpreads) {
  const Backoff backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(5000)};
  for (int attempt = 1; attempt < 100; ++attempt) {
    const auto whole = std::min<std::int64_t>(5000, 100LL << std::min(attempt - 1, 20));
    const auto wait = backoff.wait("worker-1", attempt).count();
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
  }
  int different = 0;
  for (int i = 0; i < 20; ++i) {
    different += backoff.wait("worker-" + std::to_string(i), 6) !=
                 backoff.wait("worker-" + std::to_string(i + 1), 6);
  }
  EXPECT_GT(different, 15);
}

}  // namespace pytoon::io
