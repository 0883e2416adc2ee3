#include "pipeline/spec/render_spec.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pipeline/plan/planner.h"
#include "tests/support/source_dir.h"

namespace pytoon::spec {
namespace {

plan::Catalogue catalogue() {
  plan::Catalogue shipped;
  shipped.presets = *read_presets(support::source_dir() / "config/presets.yaml");
  shipped.platforms = *read_platforms(support::source_dir() / "config/platforms.yaml");
  return shipped;
}

TEST(RenderSpec, EveryPresetsSpecIsValidAndSurvivesTheRoundTrip) {
  const plan::Catalogue shipped = catalogue();
  for (const auto& [id, preset] : shipped.presets) {
    JobRequest request;
    request.preset_id = id;
    request.prompt = "A new serum";
    request.image_uris = {"storage://assets/a"};
    request.clip_uris = {"storage://assets/c"};
    const Result<RenderSpec> made = plan::make_render_spec(request, shipped, 7);
    ASSERT_TRUE(made) << id;
    const nlohmann::ordered_json written = to_json(*made);
    const Result<RenderSpec> read = render_spec_from_json(written);
    ASSERT_TRUE(read) << id << ": " << read.failure().detail;
    EXPECT_EQ(to_json(*read), written) << id;
  }
}

// Specs of before have no quality: what is stored stays what it was.
TEST(RenderSpec, AQualityIsWrittenWhereItIsNotTheUsualOne) {
  JobRequest request;
  request.preset_id = "overlay_glow";
  EXPECT_FALSE(to_json(*plan::make_render_spec(request, catalogue(), 1)).contains("quality"));
  request.quality = Quality::kDraft;
  const nlohmann::ordered_json written = to_json(*plan::make_render_spec(request, catalogue(), 1));
  EXPECT_EQ(written["quality"], "draft");
  EXPECT_EQ(render_spec_from_json(written)->quality, Quality::kDraft);
}

TEST(RenderSpec, TheSchemaRefusesWhatIsOutOfContract) {
  JobRequest request;
  request.preset_id = "overlay_glow";
  const nlohmann::ordered_json good = to_json(*plan::make_render_spec(request, catalogue(), 1));
  const auto pointer_of = [](const nlohmann::ordered_json& tried) {
    const Result<RenderSpec> read = render_spec_from_json(tried);
    return read ? std::string("accepted") : read.failure().faults.at(0).pointer;
  };
  nlohmann::ordered_json bad = good;
  bad["render_spec_version"] = 2;
  EXPECT_EQ(pointer_of(bad), "/render_spec_version");
  bad = good;
  bad["style"]["motion_profile"] = "wild";
  EXPECT_EQ(pointer_of(bad), "/style/motion_profile");
  bad = good;
  bad["engine"] = "x264";
  EXPECT_NE(pointer_of(bad), "accepted");
  bad = good;
  bad["output"] = {{"width", 1080}, {"height", 1080}, {"fps", 30}};
  EXPECT_EQ(pointer_of(bad), "/output");
  bad["output"] = {{"width", 1080}};
  EXPECT_NE(pointer_of(bad), "accepted");
  bad = good;
  bad["segments"].erase(0);
  EXPECT_EQ(pointer_of(bad), "/segments");
  EXPECT_NE(pointer_of(nlohmann::ordered_json::array()), "accepted");
}

// Specs that are stored, and content keys, hold what they held before the frame was a value.
TEST(RenderSpec, TodaysFrameIsNotWrittenDown) {
  JobRequest request;
  request.preset_id = "overlay_glow";
  RenderSpec spec = *plan::make_render_spec(request, catalogue(), 1);
  EXPECT_EQ(spec.output, (Output{1080, 1920, 30}));
  EXPECT_FALSE(to_json(spec).contains("output"));
  spec.output = {540, 960, 25};
  EXPECT_EQ(to_json(spec)["output"],
            (nlohmann::ordered_json{{"width", 540}, {"height", 960}, {"fps", 25}}));
}

TEST(Output, ScalesLengthsOfTheDesignByItsShorterEdge) {
  EXPECT_EQ((Output{1080, 1920, 30}.scaled(36)), 36);
  EXPECT_EQ((Output{1920, 1080, 30}.scaled_px(120)), 120);
  EXPECT_EQ((Output{540, 960, 30}.scaled_px(120)), 60);
  EXPECT_EQ((Output{2160, 2160, 30}.scaled_px(33)), 66);
}

}  // namespace
}  // namespace pytoon::spec
