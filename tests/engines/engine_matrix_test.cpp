// Every subset of {compositor, ComfyUI, remote} down x chains of three presets x three policies:
// the engine chain ends as the policy says, says why, and local_only never opens a socket to the
// remote.
#include <gtest/gtest.h>

#include "engines/engine_registry.h"
#include "engines/fake_engine.h"
#include "engines/local_compositor.h"
#include "tests/engines/engine_fixture.h"
#include "tests/support/fake_comfyui_server.h"
#include "tests/support/fake_remote_server.h"
#include "tests/support/source_dir.h"
#include "tests/support/walk_chain.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using spec::EnginePolicy;

struct Case {
  int down = 0;  // bits: 1 compositor, 2 ComfyUI, 4 remote
  std::string preset;
  EnginePolicy policy = EnginePolicy::kLocalPreferred;
};

class EngineMatrixTest : public EngineTest, public testing::WithParamInterface<Case> {
 protected:
  EngineMatrixTest() {
    comfy_.plan.clip = kGoodClip;
    remote_.plan.clip = kGoodClip;
    comfy_.plan.looks = remote_.plan.looks = 0;
    if (GetParam().down & 2) comfy_.stop();
    if (GetParam().down & 4) remote_.stop();
    auto presets = spec::read_presets(support::source_dir() / "config/presets.yaml");
    EXPECT_TRUE(presets);
    preset_ = presets->at(GetParam().preset);
  }

  std::vector<std::unique_ptr<Engine>> engines() {
    std::vector<std::unique_ptr<Engine>> made;
    FakeEngine::Script compositor;
    compositor.capabilities = LocalCompositor().capabilities();
    if (GetParam().down & 1) {
      compositor.health = [] { return Status(failure(FailureKind::kUnavailable, "is down")); };
    }
    made.push_back(std::make_unique<FakeEngine>(std::string(kLocalCompositor), compositor));
    ComfySettings comfy;
    comfy.urls = {comfy_.url()};
    comfy.workflows = {*read_workflow(support::source_dir() / "config/workflows/model_free.json")};
    comfy.poll = std::chrono::milliseconds(2);
    made.push_back(*ComfyEngine::make(comfy, {http_, clock_, ids_, verify_, log_}));
    RemoteSettings remote;
    remote.base_url = remote_.url();
    remote.key = support::FakeRemoteServer::kKey;
    remote.provider = *read_provider(support::source_dir() / "config/providers/generic.yaml");
    remote.provider.poll.interval = std::chrono::milliseconds(2);
    made.push_back(*RemoteEngine::make(remote, {http_, clock_, *ledger_, verify_, log_, {}}));
    return made;
  }

  // The first of the order that the policy gives which is up and not forbidden.
  std::string expected() const {
    const auto up = [](int bit) { return (GetParam().down & bit) == 0; };
    const bool draws_first = preset_.engines.front() == kLocalCompositor;
    // The remote would redraw the image of a brand-safe job; in an overlay it may.
    const bool remote_may = !preset_.brand_safe || preset_.archetype == spec::Archetype::kOverlay;
    const std::string remote = up(4) && remote_may ? "api" : "";
    if (GetParam().policy == EnginePolicy::kApiOnly) return remote.empty() ? "template" : remote;
    if (draws_first && up(1)) return "local_compositor";
    if (up(2)) return "local_comfyui";
    if (GetParam().policy == EnginePolicy::kLocalPreferred && !remote.empty()) return remote;
    return up(1) ? "local_compositor" : "template";
  }

  support::FakeComfyServer comfy_;
  support::FakeRemoteServer remote_;
  spec::Preset preset_;
};

TEST_P(EngineMatrixTest, EndsAsThePolicySays) {
  EngineChain engine_chain(engines(), clock_);
  FootageRequest wish = request();
  wish.archetype = preset_.archetype;
  wish.brand_safe = preset_.brand_safe;
  const Result<ChainResult> served =
      support::walk_chain(engine_chain, preset_.engines, GetParam().policy, wish, watch_);
  ASSERT_TRUE(served);
  EXPECT_EQ(served->engine, expected()) << served->reason;
  EXPECT_EQ(served->fallback, !served->reason.empty());
  const bool made_elsewhere = served->engine == "api" || served->engine == "local_comfyui";
  EXPECT_EQ(served->footage.clip.has_value(), made_elsewhere);
  const bool card = served->engine == "template";
  EXPECT_EQ(served->footage.kind, made_elsewhere ? plan::SourceKind::kClip
                                  : card         ? plan::SourceKind::kCard
                                                 : plan::SourceKind::kImages);
  EXPECT_TRUE(GetParam().policy != EnginePolicy::kLocalOnly || remote_.connections() == 0);
  EXPECT_TRUE(GetParam().policy != EnginePolicy::kApiOnly || comfy_.connections() == 0);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (int down = 0; down < 8; ++down) {
    for (const char* preset : {"product_hero_clean", "overlay_ai_background", "meme_t2v"}) {
      for (const auto policy :
           {EnginePolicy::kLocalOnly, EnginePolicy::kLocalPreferred, EnginePolicy::kApiOnly}) {
        cases.push_back({down, preset, policy});
      }
    }
  }
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<Case>& which) {
  return std::to_string(which.param.down) + "_" + which.param.preset + "_" +
         std::string(spec::name_of(which.param.policy));
}

INSTANTIATE_TEST_SUITE_P(B3, EngineMatrixTest, testing::ValuesIn(all_cases()), name_of_case);

TEST(EngineRegistry, OpensWithoutASocketAndHasWhatTheTableHas) {
  SystemClock clock;
  std::ostringstream lines;
  Log log(clock, lines);
  EngineTable table;
  const auto ledger = io::open_memory_store(clock);
  const auto room = EngineRegistry::open(
      table, *ledger, clock, log,
      [](const fs::path&, media::UnsaidMatrix) { return Result<double>(1.0); });
  ASSERT_TRUE(room);
  ASSERT_EQ((*room)->engine_chain().engines().size(), 1U);
  EXPECT_EQ((*room)->engine_chain().engines()[0]->name(), kLocalCompositor);
  EXPECT_TRUE((*room)->problems({}).empty());
}

}  // namespace
}  // namespace pytoon::engines
