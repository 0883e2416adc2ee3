// The request bodies in examples/ are good: they parse, name presets and files that exist, and
// there is one for each preset.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/files.h"
#include "base/yaml.h"
#include "pipeline/spec/job_request.h"
#include "tests/support/source_dir.h"

namespace pytoon {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = support::source_dir();

std::set<std::string> preset_ids() {
  std::set<std::string> ids;
  const auto presets = read_yaml(kRoot / "config/presets.yaml");
  EXPECT_TRUE(presets.ok());
  if (presets) {
    for (const auto& preset : presets->at("presets")) ids.insert(preset.at("id"));
  }
  return ids;
}

TEST(Examples, EachIsAGoodRequest) {
  const std::set<std::string> presets = preset_ids();
  std::set<std::string> shown;
  for (const auto& entry : fs::directory_iterator(kRoot / "examples")) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const auto text = read_file(entry.path());
    ASSERT_TRUE(text.ok());
    const auto body = nlohmann::json::parse(*text, nullptr, false);
    ASSERT_FALSE(body.is_discarded());
    const auto request = spec::parse_job_request(body);
    ASSERT_TRUE(request.ok()) << request.failure().detail;
    EXPECT_TRUE(presets.count(request->preset_id)) << request->preset_id;
    if (entry.path().stem() == request->preset_id) shown.insert(request->preset_id);
    ASSERT_TRUE(request->captions.has_value());
    for (const std::string& image : request->image_uris) {
      EXPECT_TRUE(fs::is_regular_file(kRoot / "examples" / image)) << image;
    }
    for (const auto& uri : {request->mask_uri, request->music_uri, request->voice_uri}) {
      if (!uri) continue;
      EXPECT_TRUE(fs::is_regular_file(kRoot / "examples" / *uri)) << *uri;
    }
  }
  EXPECT_EQ(shown, presets);
}

TEST(Examples, StaySmall) {
  std::uintmax_t total_bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "examples")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_LT(entry.file_size(), 1'500'000u) << entry.path();
    total_bytes += entry.file_size();
  }
  EXPECT_LT(total_bytes, 4'000'000u);
}

}  // namespace
}  // namespace pytoon
