#include "engines/engine_chain.h"

#include <gtest/gtest.h>

#include "engines/fake_engine.h"
#include "engines/job_time.h"
#include "engines/local_compositor.h"
#include "tests/support/walk_chain.h"

namespace pytoon::engines {

namespace {

struct Behaviour {
  bool remote = false;
  bool healthy = true;
  bool supplies = true;
  bool draws = true;
};

class StillClock final : public Clock {
 public:
  WallTime now() const override { return {}; }
  SteadyTime steady_now() const override { return steady; }
  void sleep_for(std::chrono::milliseconds duration) override { steady += duration; }
  SteadyTime steady{};
};

const std::vector<spec::Archetype> kAll{spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                                        spec::Archetype::kMemeText};

class EngineChainTest : public testing::Test {
 protected:
  FakeEngine& have(const std::string& name, Behaviour behaviour = {}, Capabilities can = {}) {
    if (behaviour.draws) can.archetypes = kAll;
    FakeEngine::Script script{.remote = behaviour.remote, .capabilities = can};
    if (!behaviour.healthy) {
      script.health = [] { return Status(failure(FailureKind::kUnavailable, "is down")); };
    }
    if (!behaviour.supplies) {
      script.generate = [](const FootageRequest&, const Watch&) {
        return Result<plan::SegmentSource>(failure(FailureKind::kEngine, "gave nothing"));
      };
    }
    return new_engine(name, script);
  }
  FakeEngine& new_engine(const std::string& name, const FakeEngine::Script& script) {
    auto made = std::make_unique<FakeEngine>(name, script);
    FakeEngine& engine = *made;
    engines_.push_back(std::move(made));
    return engine;
  }
  ChainResult run(spec::EnginePolicy policy,
                  std::vector<std::string> chain = {"local_compositor", "local_comfyui", "api"}) {
    engine_chain_ = std::make_unique<EngineChain>(std::move(engines_), clock_);
    return again(policy, chain);
  }
  ChainResult again(spec::EnginePolicy policy, const std::vector<std::string>& chain) {
    Result<ChainResult> served =
        support::walk_chain(*engine_chain_, chain, policy, request_, watch_);
    EXPECT_TRUE(served);
    return *served;
  }

  StillClock clock_;
  FootageRequest request_;
  Watch watch_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::unique_ptr<EngineChain> engine_chain_;
};

TEST_F(EngineChainTest, TheFirstOfTheChainServes) {
  have("local_compositor");
  const FakeEngine& api = have("api", {.remote = true});
  const ChainResult served = run(spec::EnginePolicy::kLocalPreferred);
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_EQ(served.footage.kind, plan::SourceKind::kImages);
  EXPECT_FALSE(served.fallback);
  EXPECT_EQ(api.asked(), 0);
}

TEST_F(EngineChainTest, WhatIsNotConfiguredIsSkippedWithoutAWord) {
  have("local_compositor");
  const ChainResult served =
      run(spec::EnginePolicy::kLocalPreferred, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_FALSE(served.fallback);
  EXPECT_EQ(served.reason, "");
}

TEST_F(EngineChainTest, CandidatesAreToldWithoutAskingAnyone) {
  Capabilities can;
  can.image_to_video = can.text_to_video = true;
  can.micro_usd_per_second = 2000;
  can.slots = 3;
  can.latency = std::chrono::milliseconds(7000);
  FakeEngine& local = have("local_comfyui", {.draws = false}, can);
  FakeEngine& remote = have("api", {.remote = true}, can);
  run(spec::EnginePolicy::kLocalOnly);  // makes the chain
  const int asked = local.asked() + remote.asked();
  request_.duration_seconds = 3;
  const auto told = engine_chain_->candidates_for({"local_comfyui", "api"},
                                                  spec::EnginePolicy::kLocalPreferred, request_);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].engine, "local_comfyui");
  EXPECT_FALSE(told[0].remote);
  ASSERT_TRUE(told[0].refused);
  EXPECT_NE(told[0].refused->detail.find("can't draw"), std::string::npos);
  EXPECT_EQ(told[1].engine, "api");
  EXPECT_TRUE(told[1].remote);
  EXPECT_TRUE(told[1].makes_clips);
  EXPECT_FALSE(told[1].refused);
  EXPECT_EQ(told[1].quote.micro_usd, 6000);
  EXPECT_EQ(told[1].quote.at_once, 3);
  EXPECT_EQ(told[1].quote.duration, std::chrono::milliseconds(7000));
  EXPECT_EQ(told[2].engine, "template");  // no compositor is configured here
  EXPECT_FALSE(told[2].makes_clips);
  EXPECT_EQ(local.asked() + remote.asked(), asked);
  const auto kept = engine_chain_->candidates_for({"local_comfyui", "api"},
                                                  spec::EnginePolicy::kLocalOnly, request_);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].engine, "template");
}

TEST_F(EngineChainTest, AFailingOneIsAFallbackThatSaysWhy) {
  have("local_comfyui", {.healthy = false});
  have("local_compositor");
  const ChainResult served =
      run(spec::EnginePolicy::kLocalPreferred, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason, "local_comfyui: is down");
}

TEST_F(EngineChainTest, WhenAllFailTheCardComesWithEveryReason) {
  have("local_comfyui", {.supplies = false});
  have("local_compositor", {.draws = false});
  const ChainResult served =
      run(spec::EnginePolicy::kLocalOnly, {"local_comfyui", "local_compositor"});
  EXPECT_EQ(served.engine, "template");
  EXPECT_EQ(served.footage.kind, plan::SourceKind::kCard);
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason,
            "local_comfyui: gave nothing; local_compositor: can't draw PRODUCT_HERO");
}

TEST_F(EngineChainTest, LocalOnlyNeverAsksARemoteOne) {
  const FakeEngine& api = have("api", {.remote = true});
  const ChainResult served = run(spec::EnginePolicy::kLocalOnly);
  EXPECT_EQ(served.engine, "template");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(api.asked(), 0);
}

TEST_F(EngineChainTest, LocalPreferredAsksRemoteOnesLast) {
  have("api", {.remote = true});
  have("local_compositor", {.healthy = false});
  const ChainResult served = run(spec::EnginePolicy::kLocalPreferred, {"api", "local_compositor"});
  EXPECT_EQ(served.engine, "api");
  EXPECT_EQ(served.reason, "local_compositor: is down");
}

TEST_F(EngineChainTest, ApiOnlyUsesTheApiAndElseTheCard) {
  have("local_compositor");
  have("api", {.remote = true});
  EXPECT_EQ(run(spec::EnginePolicy::kApiOnly).engine, "api");
  have("local_compositor");
  const ChainResult served = run(spec::EnginePolicy::kApiOnly);
  EXPECT_EQ(served.engine, "template");
  EXPECT_TRUE(served.fallback);
  EXPECT_EQ(served.reason, "no engine that api_only allows is configured");
}

TEST_F(EngineChainTest, APresetMayAskForTheCardItself) {
  const ChainResult served = run(spec::EnginePolicy::kLocalOnly, {"template"});
  EXPECT_EQ(served.engine, "template");
  EXPECT_FALSE(served.fallback);
}

TEST_F(EngineChainTest, BeneathEveryChainTheCompositorDraws) {
  have("local_compositor");
  have("local_comfyui", {.healthy = false});
  const ChainResult served = run(spec::EnginePolicy::kLocalPreferred, {"local_comfyui"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_EQ(served.reason, "local_comfyui: is down");
  EXPECT_EQ(again(spec::EnginePolicy::kApiOnly, {"local_comfyui"}).engine, "template");
}

TEST_F(EngineChainTest, AnEngineThatKeepsFailingIsLeftAloneForAWhile) {
  const FakeEngine& comfy = have("local_comfyui", {.supplies = false});
  have("local_compositor");
  const std::vector<std::string> chain{"local_comfyui"};
  run(spec::EnginePolicy::kLocalOnly, chain);
  for (int i = 0; i < 4; ++i) again(spec::EnginePolicy::kLocalOnly, chain);
  const int asked = comfy.asked();
  const ChainResult served = again(spec::EnginePolicy::kLocalOnly, chain);
  EXPECT_EQ(comfy.asked(), asked);
  EXPECT_EQ(served.reason, "local_comfyui: failed too often, is left alone for a while");
  EXPECT_EQ(engine_chain_->breaker_state("local_comfyui"), CircuitBreaker::State::kOpen);
  EXPECT_EQ(CircuitBreaker::name_of(engine_chain_->breaker_state("local_comfyui")), "open");
  clock_.steady += std::chrono::seconds(31);
  again(spec::EnginePolicy::kLocalOnly, chain);
  EXPECT_GT(comfy.asked(), asked);
}

TEST_F(EngineChainTest, WhatAnEngineMustNotDoIsNotItsFailure) {
  Capabilities can;
  can.redraws = true;
  const FakeEngine& comfy = have("local_comfyui", {}, can);
  have("local_compositor");
  request_.image = plan::InputFile{"a.png", "x"};
  const std::vector<std::string> chain{"local_comfyui"};
  const ChainResult served = run(spec::EnginePolicy::kLocalOnly, chain);
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_EQ(served.reason, "local_comfyui: would redraw the image of a brand-safe job");
  for (int i = 0; i < 9; ++i) again(spec::EnginePolicy::kLocalOnly, chain);
  EXPECT_EQ(engine_chain_->breaker_state("local_comfyui"), CircuitBreaker::State::kClosed);
  EXPECT_EQ(comfy.asked(), 0);
  // Behind an overlay's product generated pixels are only background.
  request_.archetype = spec::Archetype::kOverlay;
  EXPECT_EQ(again(spec::EnginePolicy::kLocalOnly, chain).engine, "local_comfyui");
  request_.archetype = spec::Archetype::kProductHero;
  request_.brand_safe = false;
  EXPECT_EQ(again(spec::EnginePolicy::kLocalOnly, chain).engine, "local_comfyui");
}

TEST_F(EngineChainTest, TheDeadlineRidesAlong) {
  std::vector<SteadyTime> deadlines;
  FakeEngine::Script script;
  script.capabilities.archetypes = kAll;
  script.generate = [&deadlines](const FootageRequest&, const Watch& watch) {
    deadlines.push_back(watch.deadline);
    return Result<plan::SegmentSource>(plan::SegmentSource{});
  };
  engines_.push_back(std::make_unique<FakeEngine>("local_comfyui", script));
  run(spec::EnginePolicy::kLocalOnly, {"local_comfyui"});
  watch_.deadline = clock_.steady + std::chrono::seconds(10);
  again(spec::EnginePolicy::kLocalOnly, {"local_comfyui"});
  EXPECT_EQ(deadlines, (std::vector<SteadyTime>{clock_.steady + std::chrono::seconds(300),
                                                clock_.steady + std::chrono::seconds(10)}));
}

// An engine that thinks for so long, or until it is told that time is up.
FakeEngine::Script thinker(StillClock& clock, std::chrono::seconds needs_generation) {
  FakeEngine::Script script;
  script.capabilities.archetypes = kAll;
  script.capabilities.text_to_video = true;
  script.generate = [&clock, needs_generation](const FootageRequest&,
                                               const Watch& watch) -> Result<plan::SegmentSource> {
    const SteadyTime done = clock.steady + needs_generation;
    clock.steady = std::min(done, watch.deadline);
    if (done <= watch.deadline) return plan::SegmentSource{};
    return failure(FailureKind::kTimeout, "out of time");
  };
  return script;
}

TEST_F(EngineChainTest, WhatOneEngineUsesUpTheNextDoesNotHave) {
  new_engine("local_comfyui", thinker(clock_, std::chrono::seconds(400)));
  new_engine("comfyui_ltxv", thinker(clock_, std::chrono::seconds(150)));
  have("local_compositor");
  engine_chain_ = std::make_unique<EngineChain>(std::move(engines_), clock_);
  watch_.deadline = clock_.steady + std::chrono::seconds(420);
  const ChainResult served =
      again(spec::EnginePolicy::kLocalOnly, {"local_comfyui", "comfyui_ltxv"});
  EXPECT_EQ(served.engine, "local_compositor");
  EXPECT_EQ(
      served.reason,
      "local_comfyui: out of time; comfyui_ltxv: deadline: the job's time for engines is over");
  EXPECT_EQ(clock_.steady, watch_.deadline) << "300 s for the first, 120 for the second";
}

TEST_F(EngineChainTest, WithNextToNoTimeLeftNothingIsWaitedFor) {
  const FakeEngine& comfy = new_engine("local_comfyui", thinker(clock_, std::chrono::seconds(1)));
  have("local_compositor");
  engine_chain_ = std::make_unique<EngineChain>(std::move(engines_), clock_);
  for (const int left : {9, 0, -100}) {
    watch_.deadline = clock_.steady + std::chrono::seconds(left);
    const ChainResult served = again(spec::EnginePolicy::kLocalOnly, {"local_comfyui"});
    EXPECT_EQ(served.engine, "local_compositor");
    EXPECT_EQ(served.reason, "local_comfyui: deadline: the job's time for engines is over");
    EXPECT_EQ(again(spec::EnginePolicy::kApiOnly, {"local_comfyui"}).engine, "template");
  }
  EXPECT_EQ(comfy.asked(), 0);
  EXPECT_EQ(engine_chain_->breaker_state("local_comfyui"), CircuitBreaker::State::kClosed);
  watch_.deadline = clock_.steady + std::chrono::seconds(10);
  EXPECT_EQ(again(spec::EnginePolicy::kLocalOnly, {"local_comfyui"}).engine, "local_comfyui");
}

TEST_F(EngineChainTest, TheJobsDeadlineIsNoFaultOfTheEngine) {
  new_engine("local_comfyui", thinker(clock_, std::chrono::seconds(60)));
  have("local_compositor");
  engine_chain_ = std::make_unique<EngineChain>(std::move(engines_), clock_);
  for (int i = 0; i < 9; ++i) {
    watch_.deadline = clock_.steady + std::chrono::seconds(30);
    again(spec::EnginePolicy::kLocalOnly, {"local_comfyui"});
  }
  EXPECT_EQ(engine_chain_->breaker_state("local_comfyui"), CircuitBreaker::State::kClosed);
}

TEST(JobTime, DrawingKeepsItsShare) {
  const JobTime time{std::chrono::seconds(100), std::chrono::seconds(4)};
  EXPECT_EQ(time.for_engines(15), std::chrono::seconds(40));
  EXPECT_EQ(time.for_engines(60), std::chrono::seconds(0));
}

// A worker asks an engine only while it holds one of its slots.
TEST_F(EngineChainTest, AnEngineThatMakesClipsIsAskedOnlyByWhoHoldsItsSlot) {
  const Capabilities clips{.image_to_video = true, .slots = 3};
  const FakeEngine& comfyui = have("local_comfyui", {.supplies = false}, clips);
  const FakeEngine& api = have("api", {.remote = true}, clips);
  have("local_compositor");
  EngineChain engine_chain(std::move(engines_), clock_);
  EXPECT_EQ(engine_chain.slots(),
            (std::vector<std::pair<std::string, int>>{{"local_comfyui", 3}, {"api", 3}}));
  const std::vector<std::string> chain{"local_comfyui", "api"};
  const auto step = [&](const ChainPosition& from, std::string_view slot) {
    return *engine_chain.step(chain, spec::EnginePolicy::kLocalPreferred, request_, watch_, from,
                              slot);
  };
  const ChainPosition first = std::get<ChainPosition>(step({}, ""));
  EXPECT_EQ(first.engine, "local_comfyui");
  EXPECT_EQ(first.failures, "");
  EXPECT_EQ(comfyui.asked(), 0);
  const ChainPosition second = std::get<ChainPosition>(step(first, "local_comfyui"));
  EXPECT_EQ(second.engine, "api");
  EXPECT_EQ(second.failures, "local_comfyui: gave nothing");
  EXPECT_EQ(api.asked(), 0);
  const ChainResult served = std::get<ChainResult>(step(second, "api"));
  EXPECT_EQ(served.engine, "api");
  EXPECT_EQ(served.reason, "local_comfyui: gave nothing");
}

TEST_F(EngineChainTest, AnEngineThatIsGoneIsPassedOver) {
  have("api", {.remote = true}, {.image_to_video = true});
  have("local_compositor");
  EngineChain engine_chain(std::move(engines_), clock_);
  const auto on = [&](const std::vector<std::string>& chain) {
    return *engine_chain.step(chain, spec::EnginePolicy::kLocalPreferred, request_, watch_,
                              {"local_comfyui", ""}, "");
  };
  const ChainPosition next = std::get<ChainPosition>(on({"local_comfyui", "api"}));
  EXPECT_EQ(next.engine, "api");
  EXPECT_EQ(next.failures, "local_comfyui: no live worker has it");
  EXPECT_EQ(std::get<ChainResult>(on({"api"})).engine, "local_compositor");
}

TEST_F(EngineChainTest, ACancelIsNoFallback) {
  FakeEngine::Script script;
  script.capabilities.archetypes = kAll;
  script.generate = [](const FootageRequest&, const Watch& watch) {
    watch.cancel.cancel();
    return Result<plan::SegmentSource>(failure(FailureKind::kCancelled, "cancelled"));
  };
  engines_.push_back(std::make_unique<FakeEngine>("local_comfyui", script));
  have("local_compositor");
  EngineChain engine_chain(std::move(engines_), clock_);
  const Result<ChainResult> served = support::walk_chain(
      engine_chain, {"local_comfyui"}, spec::EnginePolicy::kLocalOnly, request_, watch_);
  ASSERT_FALSE(served);
  EXPECT_EQ(served.failure().kind, FailureKind::kCancelled);
}

TEST_F(EngineChainTest, TheCompositorDrawsEveryArchetype) {
  LocalCompositor compositor;
  EXPECT_EQ(compositor.capabilities().archetypes, kAll);
  EXPECT_TRUE(compositor.health(watch_));
  EXPECT_FALSE(compositor.remote());
  EXPECT_EQ(compositor.generate({}, watch_)->kind, plan::SourceKind::kImages);
}

TEST(CircuitBreaker, OpensProbesOnceAndCloses) {
  StillClock clock;
  CircuitBreaker breaker(clock, {3, std::chrono::seconds(30)});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(breaker.allow());
    breaker.failed();
  }
  EXPECT_FALSE(breaker.allow());
  clock.steady += std::chrono::seconds(30);
  EXPECT_TRUE(breaker.allow());
  EXPECT_FALSE(breaker.allow());  // one probe at a time
  breaker.failed();
  EXPECT_FALSE(breaker.allow());
  clock.steady += std::chrono::seconds(30);
  EXPECT_TRUE(breaker.allow());
  breaker.gave_up();  // says nothing: the next may probe
  EXPECT_TRUE(breaker.allow());
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::kClosed);
  EXPECT_TRUE(breaker.allow());
  EXPECT_TRUE(breaker.allow());
}

TEST(CircuitBreaker, OnlyFailuresInARowCount) {
  StillClock clock;
  CircuitBreaker breaker(clock, {2, std::chrono::seconds(30)});
  for (int i = 0; i < 9; ++i) {
    breaker.failed();
    breaker.succeeded();
  }
  EXPECT_TRUE(breaker.allow());
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

}  // namespace
}  // namespace pytoon::engines
