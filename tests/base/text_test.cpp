#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pytoon {

TEST(Text, LowerCaseIsOfAsciiOnly) { EXPECT_EQ(lower_case("AZaz09-Ä"), "azaz09-Ä"); }

TEST(Text, TrimsTheBlanksItIsTold) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("a\r"), "a\r");
  EXPECT_EQ(trim("a\r\n", " \r\n"), "a");
}

TEST(Text, SplitsIntoOnePartMoreThanSeparators) {
  EXPECT_THAT(split("a,,b", ','), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
}

TEST(Text, Hex) {
  EXPECT_EQ(hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(hex_digit('f'), 15);
  EXPECT_EQ(hex_digit('A'), 10);
  EXPECT_EQ(hex_digit('g'), std::nullopt);
}

TEST(Text, PercentEncoding) {
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_EQ(percent_decode("a%20b%2f%C3%BC~"), "a b/ü~");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  for (const char* text : {"%", "%4", "a%zz", "%4%41", "%+1", "% 1"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(Text, DecimalsAreDigitsThatFit) {
  EXPECT_EQ(decimal("0042"), 42U);
  EXPECT_EQ(decimal("18446744073709551615"), 18446744073709551615ULL);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"}) {
    EXPECT_EQ(decimal(text), std::nullopt) << text;
  }
}

}  // namespace pytoon
