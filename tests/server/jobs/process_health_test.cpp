#include "server/jobs/process_health.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <thread>
#include <vector>

namespace pytoon::jobs {

TEST(ProcessHealth, TheFirstReasonStaysAndIsLoggedOnce) {
  SystemClock clock;
  std::ostringstream lines;
  Log log(clock, lines);
  ProcessHealth process(log);
  EXPECT_TRUE(process.usable());
  EXPECT_EQ(process.reason(), std::nullopt);
  process.mark_unusable("the context is lost");
  process.mark_unusable("half of the threads are lost");
  EXPECT_FALSE(process.usable());
  EXPECT_EQ(process.reason(), "the context is lost");
  const std::string text = lines.str();
  EXPECT_NE(text.find("\"event\":\"process_unusable\""), std::string::npos) << text;
  EXPECT_NE(text.find("the context is lost"), std::string::npos) << text;
  EXPECT_EQ(text.find("half of the threads"), std::string::npos) << text;
}

TEST(ProcessHealth, ManyThreadsMayMarkItAtOnce) {
  SystemClock clock;
  std::ostringstream lines;
  Log log(clock, lines);
  ProcessHealth process(log);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&process, i] {
      process.mark_unusable(std::to_string(i));
      EXPECT_FALSE(process.usable());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = lines.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace pytoon::jobs
