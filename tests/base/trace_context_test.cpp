// The grammar of traceparent: https://www.w3.org/TR/trace-context/#traceparent-header.
#include "base/trace_context.h"

#include <gtest/gtest.h>

namespace pytoon {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";

TEST(TraceContext, IsRead) {
  const auto context = parse_traceparent("00-" + kTrace + "-" + kSpan + "-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, kTrace);
  EXPECT_EQ(context->span_id, kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(to_traceparent(*context), "00-" + kTrace + "-" + kSpan + "-01");
}

TEST(TraceContext, FlagsAreBits) {
  EXPECT_FALSE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-00")->sampled);
  EXPECT_FALSE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-02")->sampled);
  EXPECT_TRUE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-ff")->sampled);
}

TEST(TraceContext, LaterVersionsMayBeLonger) {
  EXPECT_TRUE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01"));
  EXPECT_TRUE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01-what-the-future-brings"));
  EXPECT_FALSE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01.what"));
  EXPECT_FALSE(parse_traceparent("00-" + kTrace + "-" + kSpan + "-01-more"));
}

TEST(TraceContext, WhatIsOutOfItsGrammarDidNotCome) {
  const std::string zeros(32, '0');
  for (const std::string& wrong :
       {std::string(), std::string("00"), "ff-" + kTrace + "-" + kSpan + "-01",
        "00-" + zeros + "-" + kSpan + "-01", "00-" + kTrace + "-" + zeros.substr(16) + "-01",
        "00-" + kTrace + "_" + kSpan + "-01", "00-" + kTrace + "-" + kSpan + "-0",
        "00-0AF7651916cd43dd8448eb211c80319c-" + kSpan + "-01",
        "0x-" + kTrace + "-" + kSpan + "-01", "00-" + kTrace + "-" + kSpan + "-0g"}) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace pytoon
