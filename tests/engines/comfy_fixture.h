// A ComfyEngine over a ComfyUI server of the tests' own.
#pragma once

#include <gtest/gtest.h>

#include "engines/comfyui/comfy_engine.h"
#include "tests/engines/engine_fixture.h"
#include "tests/support/fake_comfyui_server.h"
#include "tests/support/source_dir.h"

namespace pytoon::engines {

class ComfyEngineTest : public EngineTest {
 protected:
  ComfyEngineTest() { comfy_.plan.clip = kGoodClip; }

  std::unique_ptr<ComfyEngine> engine(
      std::vector<std::string> urls = {},
      std::chrono::milliseconds poll = std::chrono::milliseconds(5)) {
    ComfySettings settings;
    settings.urls = urls.empty() ? std::vector<std::string>{comfy_.url()} : std::move(urls);
    Result<Workflow> workflow =
        read_workflow(support::source_dir() / "config/workflows/model_free.json");
    EXPECT_TRUE(workflow) << workflow.failure().detail;
    settings.workflows.push_back(std::move(*workflow));
    settings.limits.request = std::chrono::milliseconds(400);
    settings.limits.stall = std::chrono::seconds(1);
    settings.limits.clip_bytes_max = 1000;
    settings.limits.listen = std::chrono::milliseconds(200);
    settings.poll = poll;
    settings.away = std::chrono::milliseconds(600);
    auto made = ComfyEngine::make(std::move(settings), {http_, clock_, ids_, verify_, log_});
    EXPECT_TRUE(made) << made.failure().detail;
    return std::move(*made);
  }
  Result<plan::SegmentSource> generate() { return engine()->generate(request(), watch_); }
  void expect_good(const Result<plan::SegmentSource>& generated) {
    EngineTest::expect_good(generated);
    if (HasFatalFailure()) return;
    EXPECT_EQ(generated->clip->sha256.size(), 64U);
    EXPECT_EQ(generated->kind, plan::SourceKind::kClip);
  }
  void expect_failed(const Result<plan::SegmentSource>& generated, FailureKind kind,
                     const std::string& words) {
    EngineTest::expect_failed(generated, kind, words, "/srv");
  }

  support::FakeComfyServer comfy_;
};

}  // namespace pytoon::engines
