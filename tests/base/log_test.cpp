#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace pytoon {

TEST(Log, WritesOneJsonObjectALine) {
  std::ostringstream out;
  const SystemClock clock;
  Log log(clock, out);
  log.info("job_created", {{"job_id", "a\nb"}, {"bytes", "\xff"}, {"seconds", 1.0 / 3}});
  log.debug("not_shown");
  const std::string text = out.str();
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["event"], "job_created");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["job_id"], "a\nb");
  EXPECT_EQ(line["seconds"].dump(), "0.333");
  EXPECT_TRUE(line.contains("timestamp"));
}

}  // namespace pytoon
