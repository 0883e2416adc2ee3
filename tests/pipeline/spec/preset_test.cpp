#include "pipeline/spec/preset.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "pipeline/spec/platform.h"
#include "tests/support/source_dir.h"

namespace pytoon::spec {
namespace {

TEST(Presets, TheShippedOnesAreTheContracts) {
  const Result<PresetTable> presets = read_presets(support::source_dir() / "config/presets.yaml");
  ASSERT_TRUE(presets) << presets.failure().detail;
  ASSERT_EQ(presets->size(), 12U);
  const Preset& minimal = presets->at("brand_safe_minimal");
  EXPECT_EQ(minimal.engine_policy, EnginePolicy::kLocalOnly);
  EXPECT_EQ(minimal.caption_style.safe_margin_px, 140);
  EXPECT_EQ(minimal.audio.music_level_db, -22);
  const Preset& meme = presets->at("meme_fast");
  EXPECT_EQ(meme.transition.type, TransitionType::kCut);
  EXPECT_EQ(meme.motion_profile, MotionProfile::kChaotic);
  EXPECT_TRUE(presets->at("overlay_glow").overlay_fx.glow);
  EXPECT_EQ(to_json(minimal)["caption_style"]["position"], "lower_third");
}

TEST(Presets, AllFaultsOfAFileAreNamed) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("pytoon-presets-" + std::to_string(::getpid()) + ".yaml");
  ASSERT_TRUE(write_file_atomically(
      path, "presets:\n  - id: a\n    name: A\n    archetype: NONE\n    brand_safe: 3\n"));
  const Result<PresetTable> presets = read_presets(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(presets);
  EXPECT_GE(presets.failure().faults.size(), 5U);
  EXPECT_NE(presets.failure().detail.find(path.string()), std::string::npos);
}

TEST(Platforms, UniversalIsTheUnion) {
  const Result<PlatformTable> table =
      read_platforms(support::source_dir() / "config/platforms.yaml");
  ASSERT_TRUE(table) << table.failure().detail;
  const SafeZone& all = table->at("universal");
  for (const auto& [name, zone] : *table) {
    EXPECT_GE(all.top, zone.top) << name;
    EXPECT_GE(all.right, zone.right) << name;
    EXPECT_GE(all.bottom, zone.bottom) << name;
    EXPECT_GE(all.left, zone.left) << name;
  }
  EXPECT_EQ(all.bottom, 672);
  EXPECT_EQ(all.right, 150);
}

}  // namespace
}  // namespace pytoon::spec
