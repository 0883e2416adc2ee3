#include "server/io/redis/link_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

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

}  // namespace pytoon::io
