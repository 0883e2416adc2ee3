#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pytoon {

TEST(Json, TextComesBackAsItWas) {
  const char* const text = R"({"b":[1,-2,0.5,true,null],"a":{"c":"é\n"}})";
  EXPECT_EQ(json_text(parse_json<nlohmann::ordered_json>(text)), text);
  EXPECT_EQ(json_text(parse_json<nlohmann::json>(text)),
            R"({"a":{"c":"é\n"},"b":[1,-2,0.5,true,null]})");
  EXPECT_EQ(json_text(parse_json<nlohmann::ordered_json>(R"({"a":[1]})"), 1),
            "{\n \"a\": [\n  1\n ]\n}");
}

TEST(Json, WhatIsNoneIsDiscarded) {
  for (const char* text : {"", "{", "{\"a\":1,}", "[1] x", "'a'", "nul", "\"\xff\""}) {
    EXPECT_TRUE(parse_json<nlohmann::json>(text).is_discarded()) << text;
    EXPECT_TRUE(parse_json<nlohmann::ordered_json>(text).is_discarded()) << text;
  }
  EXPECT_FALSE(parse_json<nlohmann::json>("null").is_discarded());
}

TEST(Json, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(json_text(nlohmann::json("a\xff")), "\"a\xef\xbf\xbd\"");
}

}  // namespace pytoon
