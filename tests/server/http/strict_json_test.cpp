#include "server/http/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pytoon::http {
namespace {

TEST(StrictJson, ReadsOrdinaryJson) {
  const auto json = parse_strict_json(R"( {"a":[1,2.5,null,true,"\u00e9[[["],"b":{"a":1}} )");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["b"]["a"], 1);
  EXPECT_TRUE(parse_strict_json(std::string(64, '[') + std::string(64, ']')).ok());
}

TEST(StrictJson, RefusesWhatParsersReadDifferently) {
  const std::string nul("{\"a\0\":1}", 8);
  for (const std::string& text : {std::string(),
                                  std::string("{"),
                                  std::string("{}{}"),
                                  std::string("{}x"),
                                  std::string("\xef\xbb\xbf{}"),
                                  std::string(R"({"a":1,"a":2})"),
                                  std::string(R"({"x":[{"b":1,"b":1}]})"),
                                  std::string("[1e400]"),
                                  std::string("[-1e400]"),
                                  std::string("[NaN]"),
                                  std::string("[01]"),
                                  std::string("['a']"),
                                  std::string("[1,]"),
                                  std::string("\"\xff\""),
                                  std::string("\"\xc0\x80\""),
                                  std::string(R"("\ud800")"),
                                  std::string("\"\xed\xa0\x80\""),
                                  std::string("/*c*/{}"),
                                  std::string("\"a\nb\""),
                                  nul,
                                  std::string(65, '[') + std::string(65, ']')}) {
    const auto json = parse_strict_json(text);
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.failure().kind, FailureKind::kMalformed);
    EXPECT_FALSE(json.failure().detail.empty());
  }
}

TEST(StrictJson, ATextThatIsNoneIsNamed) {
  const auto pointer = [](const std::string& text) {
    const auto json = parse_strict_json(text);
    return json || json.failure().faults.empty() ? "none" : json.failure().faults[0].pointer;
  };
  EXPECT_EQ(pointer(R"({"a":[1,{"b":2}],"captions":{"hook":"x\ud83c"}})"), "/captions/hook");
  EXPECT_EQ(pointer(R"({"captions":{"beats":["a","b","\udc00"]}})"), "/captions/beats/2");
  EXPECT_EQ(pointer(R"({"a":[[],[1],["\ud83cx"]]})"), "/a/2/0");
  EXPECT_EQ(pointer("{\"pro~/mpt\":\"\xff\"}"), "/pro~0~1mpt");
  EXPECT_THAT(parse_strict_json(R"({"prompt":"\ud83c"})").failure().detail,
              testing::HasSubstr("half of a character"));
}

TEST(StrictJson, SurvivesADepthBomb) {
  EXPECT_FALSE(parse_strict_json(std::string(1'000'000, '[')).ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse_strict_json(objects).ok());
}

}  // namespace
}  // namespace pytoon::http
