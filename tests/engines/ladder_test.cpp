#include "engines/ladder.h"

#include <gtest/gtest.h>

#include "engines/local_compositor.h"

namespace pytoon::engines {

struct Behaviour {
  bool remote = false;
  bool healthy = true;
  bool supplies = true;
  bool draws = true;
};

class ScriptedEngine final : public Engine {
 public:
  ScriptedEngine(std::string name, Behaviour behaviour, int& asked)
      : name_(std::move(name)), behaviour_(behaviour), asked_(asked) {}

  std::string_view name() const override { return name_; }
  bool remote() const override { return behaviour_.remote; }
  bool can_draw(spec::Archetype) const override { return behaviour_.draws; }
  Status health() override {
    ++asked_;
    if (behaviour_.healthy) return ok_status();
    return failure(FailureKind::kUnavailable, "is down");
  }
  Result<render::Footage> supply(const spec::RenderSpec&, int) override {
    if (behaviour_.supplies) return render::Footage::kImages;
    return failure(FailureKind::kEngine, "gave nothing");
  }

 private:
  const std::string name_;
  const Behaviour behaviour_;
  int& asked_;
};

class LadderTest : public testing::Test {
 protected:
  void have(const std::string& name, Behaviour behaviour = {}) {
    engines_.push_back(std::make_unique<ScriptedEngine>(name, behaviour, asked_));
  }
  Served serve(spec::EnginePolicy policy,
               std::vector<std::string> chain = {"local_compositor", "local_comfyui", "api"}) {
    spec::RenderSpec spec;
    spec.engine_policy = policy;
    Ladder ladder(std::move(engines_));
    return ladder.serve(chain, spec, 0);
  }

  std::vector<std::unique_ptr<Engine>> engines_;
  int asked_ = 0;
};

TEST_F(LadderTest, TheFirstOfTheChainServes) {
  have("local_compositor");
  have("api", {.remote = true});
  const Served served = serve(spec::EnginePolicy::kLocalPreferred);
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_EQ(served.footage, render::Footage::kImages);
  EXPECT_FALSE(served.fallback);
  EXPECT_EQ(asked_, 1);
}

TEST_F(LadderTest, WhatIsNotConfiguredIsSkippedWithoutAWord) {
  have("local_compositor");
  const Served served =
      serve(spec::EnginePolicy::kLocalPreferred, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_FALSE(served.fallback);
  EXPECT_EQ(served.reason, "");
}

TEST_F(LadderTest, AFailingOneIsAFallbackThatSaysWhy) {
  have("local_comfyui", {.healthy = false});
  have("local_compositor");
  const Served served =
      serve(spec::EnginePolicy::kLocalPreferred, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason, "local_comfyui: is down");
}

TEST_F(LadderTest, WhenAllFailTheCardComesWithEveryReason) {
  have("local_comfyui", {.supplies = false});
  have("local_compositor", {.draws = false});
  const Served served =
      serve(spec::EnginePolicy::kLocalOnly, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "template");
  EXPECT_EQ(served.footage, render::Footage::kCard);
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason,
            "local_comfyui: gave nothing; local_compositor: can't draw PRODUCT_HERO");
}

TEST_F(LadderTest, LocalOnlyNeverAsksARemoteOne) {
  have("api", {.remote = true});
  const Served served = serve(spec::EnginePolicy::kLocalOnly);
  EXPECT_EQ(served.engine, "template");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(asked_, 0);
}

TEST_F(LadderTest, LocalPreferredAsksRemoteOnesLast) {
  have("api", {.remote = true});
  have("local_compositor", {.healthy = false});
  const Served served = serve(spec::EnginePolicy::kLocalPreferred, {"api", "local_compositor"});
  EXPECT_EQ(served.engine, "api");
  EXPECT_EQ(served.reason, "local_compositor: is down");
}

TEST_F(LadderTest, ApiOnlyUsesTheApiAndElseTheCard) {
  have("local_compositor");
  have("api", {.remote = true});
  EXPECT_EQ(serve(spec::EnginePolicy::kApiOnly).engine, "api");
  have("local_compositor");
  const Served served = serve(spec::EnginePolicy::kApiOnly);
  EXPECT_EQ(served.engine, "template");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason, "no engine that api_only allows is configured");
}

TEST_F(LadderTest, APresetMayAskForTheCardItself) {
  const Served served = serve(spec::EnginePolicy::kLocalOnly, {"template"});
  EXPECT_EQ(served.engine, "template");
  EXPECT_FALSE(served.fallback);
}

TEST_F(LadderTest, TheCompositorDrawsEveryArchetype) {
  LocalCompositor compositor;
  for (const auto archetype :
       {spec::Archetype::kProductHero, spec::Archetype::kOverlay, spec::Archetype::kMemeText}) {
    EXPECT_TRUE(compositor.can_draw(archetype));
  }
  EXPECT_TRUE(compositor.health());
  EXPECT_FALSE(compositor.remote());
  EXPECT_EQ(*compositor.supply({}, 0), render::Footage::kImages);
}

TEST(Chain, ComesFromThePreset) {
  spec::PresetTable presets;
  presets["a"].engines = {"x", "y"};
  spec::RenderSpec spec;
  spec.preset_id = "a";
  EXPECT_EQ(chain_of(spec, presets), (std::vector<std::string>{"x", "y"}));
  spec.preset_id = "gone";
  EXPECT_EQ(chain_of(spec, presets), std::vector<std::string>{"local_compositor"});
}

}  // namespace pytoon::engines
