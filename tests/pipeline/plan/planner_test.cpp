#include "pipeline/plan/planner.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pipeline/plan/captions.h"
#include "tests/support/source_dir.h"

namespace pytoon::plan {
namespace {

Catalogue shipped() {
  Catalogue catalogue;
  catalogue.presets = *spec::read_presets(support::source_dir() / "config/presets.yaml");
  catalogue.platforms = *spec::read_platforms(support::source_dir() / "config/platforms.yaml");
  catalogue.defaults.segment_prompts[spec::Archetype::kOverlay] = "Background. {prompt}";
  return catalogue;
}

spec::JobRequest request(const std::string& preset) {
  spec::JobRequest wish;
  wish.preset_id = preset;
  return wish;
}

TEST(Planner, CutsSegmentsThatSumToTheTarget) {
  const std::vector<std::pair<int, int>> expected{{15, 5}, {10, 4}, {60, 20},
                                                  {1, 1},  {3, 1},  {4, 2}};
  for (const auto& [seconds, count] : expected) {
    spec::JobRequest wish = request("meme_fast");
    wish.target_duration_seconds = seconds;
    const auto spec = make_render_spec(wish, shipped(), 1);
    ASSERT_TRUE(spec);
    int sum = 0;
    for (const auto& segment : spec->segments) sum += segment.duration_seconds;
    EXPECT_EQ(sum, seconds);
    EXPECT_EQ(static_cast<int>(spec->segments.size()), count) << seconds;
  }
}

TEST(Planner, RequestBeatsEnvironmentBeatsPreset) {
  Catalogue catalogue = shipped();
  spec::JobRequest wish = request("product_hero_punchy");
  EXPECT_FALSE(make_render_spec(wish, catalogue, 1)->brand_safe);
  catalogue.defaults.env_brand_safe = true;
  catalogue.defaults.env_engine_policy = spec::EnginePolicy::kApiOnly;
  EXPECT_TRUE(make_render_spec(wish, catalogue, 1)->brand_safe);
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->engine_policy, spec::EnginePolicy::kApiOnly);
  wish.brand_safe = false;
  wish.engine_policy = spec::EnginePolicy::kLocalPreferred;
  EXPECT_FALSE(make_render_spec(wish, catalogue, 1)->brand_safe);
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->engine_policy,
            spec::EnginePolicy::kLocalPreferred);
}

TEST(Planner, TheQualityIsTheRequestsTheEnvironmentsThePresetsOrTheDefault) {
  Catalogue catalogue = shipped();
  spec::JobRequest wish = request("product_hero_punchy");
  catalogue.defaults.quality = spec::Quality::kFast;
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->quality, spec::Quality::kFast);
  catalogue.presets.at("product_hero_punchy").quality = spec::Quality::kBest;
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->quality, spec::Quality::kBest);
  catalogue.defaults.env_quality = spec::Quality::kBalanced;
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->quality, spec::Quality::kBalanced);
  wish.quality = spec::Quality::kDraft;
  EXPECT_EQ(make_render_spec(wish, catalogue, 1)->quality, spec::Quality::kDraft);
}

TEST(Planner, TheEnvironmentNeverLoosensALocalOnlyPreset) {
  Catalogue catalogue = shipped();
  catalogue.defaults.env_engine_policy = spec::EnginePolicy::kApiOnly;
  EXPECT_EQ(make_render_spec(request("brand_safe_minimal"), catalogue, 1)->engine_policy,
            spec::EnginePolicy::kLocalOnly);
}

TEST(Planner, BrandSafeCalmsTheMotion) {
  const auto calm = make_render_spec(request("overlay_bold"), shipped(), 1);
  EXPECT_EQ(calm->style.motion_profile, spec::MotionProfile::kSubtle);
  EXPECT_TRUE(calm->constraints.keep_subject_static);
  spec::JobRequest wild = request("overlay_bold");
  wild.brand_safe = false;
  EXPECT_EQ(make_render_spec(wild, shipped(), 1)->style.motion_profile,
            spec::MotionProfile::kPunchy);
}

TEST(Planner, FootageOnlyHasNoCaptions) {
  spec::JobRequest wish = request("product_hero_clean");
  wish.prompt = "A new serum";
  wish.footage_only = true;
  const auto spec = make_render_spec(wish, shipped(), 1);
  ASSERT_TRUE(spec);
  EXPECT_TRUE(spec->footage_only);
  EXPECT_TRUE(spec->captions_plan.timings.empty());
  const auto read = spec::render_spec_from_json(spec::to_json(*spec));
  ASSERT_TRUE(read) << read.failure().detail;
  EXPECT_TRUE(read->footage_only);
  wish.footage_only = false;
  EXPECT_FALSE(spec::to_json(*make_render_spec(wish, shipped(), 1)).contains("footage_only"));
}

TEST(Planner, UnknownPresetAndPlatformAreNamed) {
  const auto preset = make_render_spec(request("nope"), shipped(), 1);
  ASSERT_FALSE(preset);
  EXPECT_EQ(preset.failure().kind, FailureKind::kMalformed);
  spec::JobRequest wish = request("meme_fast");
  wish.platform = "vhs";
  const auto platform = make_render_spec(wish, shipped(), 1);
  ASSERT_FALSE(platform);
  EXPECT_EQ(platform.failure().faults.at(0).pointer, "/platform");
}

TEST(Planner, SegmentPromptsComeFromTheTemplate) {
  spec::JobRequest wish = request("overlay_glow");
  wish.prompt = "misty forest";
  EXPECT_EQ(make_render_spec(wish, shipped(), 1)->segments[0].prompt, "Background. misty forest");
}

TEST(Captions, ShareTheDurationWithoutGaps) {
  spec::JobRequest wish = request("meme_fast");
  wish.captions = spec::Captions{"hook", {"one", " ", "two"}, "cta"};
  for (const int seconds : {1, 7, 15, 59, 60}) {
    const auto timings = plan_captions(wish, seconds, 30).timings;
    ASSERT_EQ(timings.size(), 4U);  // the blank beat is not shown
    EXPECT_EQ(timings.front().start, 0);
    EXPECT_EQ(timings.back().end, seconds);
    for (std::size_t i = 0; i + 1 < timings.size(); ++i) {
      EXPECT_EQ(timings[i].end, timings[i + 1].start);
      const double frames = timings[i].end * spec::Output{}.fps;
      EXPECT_NEAR(frames, std::round(frames), 1e-9);
      EXPECT_NEAR(timings[i].end - timings[i].start, seconds / 4.0, 1.0 / spec::Output{}.fps);
    }
  }
}

TEST(Captions, WithoutCaptionsTheHookIsThePromptCutAtAWord) {
  spec::JobRequest wish = request("meme_fast");
  wish.prompt = "A serum that works overnight and smells of cedar, rain and a little bit of smoke";
  EXPECT_EQ(plan_captions(wish, 15, 30).hook,
            "A serum that works overnight and smells of cedar, rain and a…");
  EXPECT_EQ(cut_at_word("short", 60), "short");
  EXPECT_EQ(cut_at_word("ééééé", 3), "ééé…");
  EXPECT_EQ(cut_at_word("one two three four", 12), "one two…");
  EXPECT_EQ(cut_at_word("one two three four", 13), "one two three…");
  EXPECT_EQ(cut_at_word("a bcdefghijklmnop", 12), "a bcdefghijk…") << "no blank in the last third";
  EXPECT_EQ(cut_at_word("abcd👩‍👩‍👧‍👦fgh", 5), "abcd👩‍👩‍👧‍👦…");
  EXPECT_EQ(cut_at_word("abcde👩‍👩‍👧‍👦gh", 5), "abcde…");
  EXPECT_EQ(cut_at_word("abc🇫🇷🇩🇪xy", 4), "abc🇫🇷…");
  EXPECT_EQ(cut_at_word("ab👋🏽👋🏽", 3), "ab👋🏽…");
  EXPECT_EQ(cut_at_word("e\u0301e\u0301e\u0301", 2), "e\u0301e\u0301…");
}

TEST(Planner, APromptWithoutSpacesIsNotCutToItsFirstWord) {
  const std::string chinese =
      "ONDELUNE "
      "全新海洋精华面霜上市了每天早晚各用一次温和清洁深层补水让肌肤整夜保持柔软光滑现在下单"
      "即享首单优惠和免费试用装数量有限先到先得";
  const std::string hook = cut_at_word(chinese, kHookCharacters);
  EXPECT_TRUE(hook.starts_with("ONDELUNE 全新海洋精华面霜上市了每天早晚各用一次温和清洁深层补水"))
      << hook;
  EXPECT_TRUE(hook.ends_with("即享首单优惠和免费…")) << hook;
  EXPECT_EQ(cut_at_word("全新海洋\u3000精华面霜上市", 6), "全新海洋…");
  // Between words, as its dictionary knows them.
  EXPECT_EQ(cut_at_word("ສະບາຍດີຊາວໂລກ", 8), "ສະບາຍດີ…");
  EXPECT_TRUE(plan_captions(request("meme_fast"), 15, 30).timings.empty());
}

}  // namespace
}  // namespace pytoon::plan
