#include "base/yaml.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace pytoon {

TEST(Yaml, ScalarsBecomeTheirTypes) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("pytoon-yaml-" + std::to_string(::getpid()) + ".yaml");
  ASSERT_TRUE(write_file_atomically(
      path, "a: 1\nb: -2.5\nc: true\nd: text\ne: \"1\"\nf:\ng: [1, two]\nh: {i: \"true\"}\n"));
  const auto value = read_yaml(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(value);
  const auto expected = nlohmann::ordered_json::parse(
      R"({"a":1,"b":-2.5,"c":true,"d":"text","e":"1","f":null,"g":[1,"two"],"h":{"i":"true"}})");
  EXPECT_EQ(*value, expected);
}

TEST(Yaml, ErrorsNameTheFileAndLine) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("pytoon-bad-" + std::to_string(::getpid()) + ".yaml");
  ASSERT_TRUE(write_file_atomically(path, "a: 1\nb: [\n"));
  const auto value = read_yaml(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(value);
  EXPECT_NE(value.failure().detail.find(path.filename().string()), std::string::npos);
  EXPECT_NE(value.failure().detail.find("line"), std::string::npos);
}

}  // namespace pytoon
