#include "server/http/byte_range.h"

#include <gtest/gtest.h>

namespace pytoon::http {
namespace {

struct Case {
  const char* header;
  RangeOutcome outcome;
  std::uint64_t first;
  std::uint64_t length;
};

TEST(ByteRange, ChoosesAsTheStandardSays) {
  constexpr RangeOutcome kPart = RangeOutcome::kPart;
  constexpr RangeOutcome kWhole = RangeOutcome::kWhole;
  constexpr RangeOutcome kNone = RangeOutcome::kUnsatisfiable;
  for (const Case& c : {
           Case{"bytes=0-99", kPart, 0, 100},
           Case{"bytes=0-0", kPart, 0, 1},
           Case{"bytes=999-", kPart, 999, 1},
           Case{"bytes=500-5000", kPart, 500, 500},
           Case{"bytes=-1", kPart, 999, 1},
           Case{"bytes=-5000", kPart, 0, 1000},
           Case{"Bytes= 1-2", kPart, 1, 2},
           Case{"bytes=1000-", kNone, 0, 0},
           Case{"bytes=1000-2000", kNone, 0, 0},
           Case{"bytes=-0", kNone, 0, 0},
           Case{"bytes=5-4", kWhole, 0, 1000},
           Case{"bytes=0-1,5-6", kWhole, 0, 1000},
           Case{"lines=0-1", kWhole, 0, 1000},
           Case{"bytes", kWhole, 0, 1000},
           Case{"bytes=", kWhole, 0, 1000},
           Case{"bytes=-", kWhole, 0, 1000},
           Case{"bytes=a-b", kWhole, 0, 1000},
           Case{"bytes=0x1-2", kWhole, 0, 1000},
           Case{"bytes=+1-2", kWhole, 0, 1000},
           Case{"bytes=1--2", kWhole, 0, 1000},
           Case{"bytes=99999999999999999999-", kWhole, 0, 1000},
           Case{"bytes=18446744073709551615-", kNone, 0, 0},
           Case{"bytes=1-18446744073709551615", kPart, 1, 999},
       }) {
    const RangeChoice choice = choose_range(c.header, 1000);
    EXPECT_EQ(choice.outcome, c.outcome) << c.header;
    EXPECT_EQ(choice.range.first, c.first) << c.header;
    EXPECT_EQ(choice.range.length, c.length) << c.header;
  }
  EXPECT_EQ(choose_range(std::nullopt, 1000).range.length, 1000U);
  EXPECT_EQ(choose_range("bytes=0-", 0).outcome, kNone);
  EXPECT_EQ(choose_range("bytes=-5", 0).outcome, kNone);
}

TEST(EntityTag, MatchesLists) {
  EXPECT_TRUE(etag_listed("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_listed("\"x\", W/\"a\" ,\"y\"", "\"a\""));
  EXPECT_TRUE(etag_listed(" * ", "\"a\""));
  EXPECT_FALSE(etag_listed("\"ab\"", "\"a\""));
  EXPECT_FALSE(etag_listed("", "\"a\""));
}

}  // namespace
}  // namespace pytoon::http
