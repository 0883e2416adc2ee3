// What ComfyUI says over its WebSocket: progress when it is well, and nothing that matters when it
// is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "engines/comfyui/comfy_engine.h"
#include "tests/engines/engine_fixture.h"
#include "tests/support/fake_comfyui_server.h"
#include "tests/support/source_dir.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using Fault = support::ComfyPlan::Fault;
using Manner = support::ComfySocket::Manner;
using std::chrono::milliseconds;

constexpr milliseconds kNever{600'000};  // longer than the watch's deadline

class ComfySocketTest : public EngineTest {
 protected:
  ComfySocketTest() {
    comfy_.plan.clip = kGoodClip;
    watch_.progress = [this](double share) { shares_.push_back(share); };
  }
  std::unique_ptr<ComfyEngine> engine(milliseconds poll = milliseconds(5)) {
    ComfySettings settings;
    settings.urls = {comfy_.url()};
    settings.workflows = {
        *read_workflow(support::source_dir() / "config/workflows/model_free.json")};
    settings.limits.listen = milliseconds(100);
    settings.poll = poll;
    return *ComfyEngine::make(std::move(settings), {http_, clock_, ids_, verify_, log_});
  }
  Result<plan::SegmentSource> generate(milliseconds poll = milliseconds(5)) {
    return engine(poll)->generate(request(), watch_);
  }
  void expect_good(const Result<plan::SegmentSource>& generated) {
    ASSERT_TRUE(generated) << generated.failure().detail;
    ASSERT_TRUE(generated->clip);
    EXPECT_EQ(comfy_.forgotten, comfy_.prompt_ids);
    EXPECT_TRUE(comfy_.interrupted.empty());
    EXPECT_TRUE(comfy_.taken_out.empty());
    EXPECT_TRUE(comfy_.faults.empty());
  }
  void expect_rising() {
    EXPECT_TRUE(std::is_sorted(shares_.begin(), shares_.end()));
    for (const double share : shares_) {
      EXPECT_GE(share, 0.0);
      EXPECT_LE(share, 1.0);
    }
  }
  std::size_t lost() const {
    std::size_t count = 0;
    const std::string text = lines_.str();
    for (std::size_t at = 0; (at = text.find("comfyui_progress_lost", at)) != std::string::npos;) {
      ++count;
      ++at;
    }
    return count;
  }

  support::FakeComfyServer comfy_;
  std::vector<double> shares_;
};

TEST_F(ComfySocketTest, ProgressRisesWithTheNodes) {
  comfy_.plan.fault = Fault::kUnfinished;
  // The last of the five nodes is half done.
  watch_.progress = [this](double share) {
    shares_.push_back(share);
    if (share > 0.89) watch_.cancel.cancel();
  };
  const Result<plan::SegmentSource> generated = generate();
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.failure().kind, FailureKind::kCancelled) << generated.failure().detail;
  expect_rising();
  ASSERT_GE(shares_.size(), 5U);
  EXPECT_NEAR(shares_.front(), 0.1, 1e-9);
  EXPECT_NEAR(shares_.back(), 0.9, 1e-9);
  EXPECT_EQ(comfy_.interrupted, comfy_.prompt_ids);
  EXPECT_EQ(lost(), 0U);
}

TEST_F(ComfySocketTest, EachPromptHasASocketOfItsOwn) {
  comfy_.plan.fault = Fault::kForgets;
  comfy_.plan.times = 1;
  const Result<plan::SegmentSource> generated = generate();
  ASSERT_TRUE(generated) << generated.failure().detail;
  EXPECT_EQ(comfy_.socket.clients(), comfy_.prompt_ids);
  EXPECT_EQ(comfy_.prompt_ids.size(), 2U);
}

TEST_F(ComfySocketTest, TheEndThatIsSaidWakesThePoll) {
  comfy_.socket.manner = Manner::kEarlyEnd;
  comfy_.plan.looks = 0;
  expect_good(generate(kNever));
}

TEST_F(ComfySocketTest, WithoutThatWordThePollComesInItsTime) {
  comfy_.socket.manner = Manner::kSilent;
  comfy_.plan.looks = 0;
  watch_.deadline = clock_.steady_now() + milliseconds(300);
  const Result<plan::SegmentSource> generated = generate(kNever);
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.failure().kind, FailureKind::kTimeout);
}

TEST_F(ComfySocketTest, AnEndSaidTooEarlyDecidesNothing) {
  comfy_.socket.manner = Manner::kEarlyEnd;
  comfy_.plan.looks = 20;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
}

TEST_F(ComfySocketTest, APromptThatIsNowhereWhenItsEndIsSaidIsNotLostYet) {
  comfy_.socket.manner = Manner::kEarlyEnd;
  comfy_.plan.fault = Fault::kForgets;
  comfy_.plan.times = 1'000;
  ASSERT_FALSE(generate());
  // The poll out of turn, the two that count, and one to see whether it left a trace.
  EXPECT_EQ(comfy_.queue_looks, 4);
}

TEST_F(ComfySocketTest, ACancelIsNoticedWhileTheSocketIsSilent) {
  comfy_.socket.manner = Manner::kSilent;
  comfy_.plan.fault = Fault::kUnfinished;
  const Result<plan::SegmentSource> generated =
      cancelled_once([&] { return comfy_.socket.opened() > 0; }, [&] { return generate(kNever); });
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.failure().kind, FailureKind::kCancelled);
}

TEST_F(ComfySocketTest, ItsTroubleIsLoggedOnceUntilItSpeaksAgain) {
  comfy_.socket.manner = Manner::kRefuses;
  const auto made = engine();
  ASSERT_TRUE(made->generate(request(), watch_));
  ASSERT_TRUE(made->generate(request(), watch_));
  EXPECT_EQ(lost(), 1U);
  EXPECT_NE(lines_.str().find("answers 404"), std::string::npos) << lines_.str();
  comfy_.socket.manner = Manner::kDrops;  // speaks, then leaves
  comfy_.plan.looks = 200;
  ASSERT_TRUE(made->generate(request(), watch_));
  EXPECT_EQ(lost(), 2U);
}

// Whatever the socket does, the end is what polling says.
class AnySocketTest : public ComfySocketTest, public testing::WithParamInterface<int> {
 protected:
  AnySocketTest() { comfy_.socket.manner = static_cast<Manner>(GetParam()); }
};

TEST_P(AnySocketTest, AGoodPromptIsAClip) {
  expect_good(generate());
  expect_rising();
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
}

TEST_P(AnySocketTest, ABadPromptIsItsFailure) {
  comfy_.plan.fault = Fault::kFails;
  const Result<plan::SegmentSource> generated = generate();
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.failure().kind, FailureKind::kEngine);
  EXPECT_NE(generated.failure().detail.find("not divisible by 2"), std::string::npos);
  expect_rising();
}

TEST_P(AnySocketTest, AnEndlessPromptEndsWithItsTime) {
  comfy_.plan.fault = Fault::kUnfinished;
  watch_.deadline = clock_.steady_now() + milliseconds(150);
  const Result<plan::SegmentSource> generated = generate();
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.failure().kind, FailureKind::kTimeout) << generated.failure().detail;
  EXPECT_EQ(comfy_.interrupted, comfy_.prompt_ids);
}

std::string name_of_manner(const testing::TestParamInfo<int>& which) {
  const std::vector<std::string> names{"well",    "refuses",    "forbids",    "hangs",  "wrong_key",
                                       "silent",  "closes",     "drops",      "floods", "pings",
                                       "garbage", "huge_frame", "huge_text",  "binary", "nonsense",
                                       "others",  "early_end",  "says_failed"};
  return names.at(static_cast<std::size_t>(which.param));
}

INSTANTIATE_TEST_SUITE_P(B2, AnySocketTest, testing::Range(0, static_cast<int>(Manner::kMax_)),
                         name_of_manner);

TEST(ComfyProgress, WeighsASamplerAsMostOfTheWork) {
  const Json graph = Json::parse(
      R"({"1":{"class_type":"UNETLoader"},"2":{"class_type":"KSamplerSelect"},
          "9":{"class_type":"KSampler"},"10":{"class_type":"VAEDecode"}})");
  ComfyProgress progress(graph, "p");
  const auto says = [&progress](const std::string& type, const std::string& data) {
    progress.take(R"({"type":")" + type + R"(","data":{"prompt_id":"p",)" + data + "}}");
    return progress.share();
  };
  EXPECT_EQ(says("execution_start", R"("timestamp":1)"), 0);
  EXPECT_DOUBLE_EQ(says("execution_cached", R"("nodes":["1"])"), 1.0 / 23);
  EXPECT_DOUBLE_EQ(says("executing", R"("node":"2")"), 1.0 / 23);
  EXPECT_DOUBLE_EQ(says("executing", R"("node":"9")"), 2.0 / 23);
  EXPECT_DOUBLE_EQ(says("progress", R"("node":"9","value":5,"max":20)"), 7.0 / 23);
  EXPECT_DOUBLE_EQ(says("progress", R"("node":"9","value":2,"max":20)"), 7.0 / 23);
  EXPECT_DOUBLE_EQ(says("progress_state",
                        R"("nodes":{"9":{"value":20,"max":20,"state":"finished"},
                                    "10":{"value":1,"max":4,"state":"running"}})"),
                   22.25 / 23);
  EXPECT_FALSE(progress.ended());
  EXPECT_DOUBLE_EQ(says("executing", R"("node":null)"), 22.25 / 23);
  EXPECT_TRUE(progress.ended());
}

TEST(ComfyProgress, HearsItsOwnPromptOnly) {
  ComfyProgress progress(Json::parse(R"({"1":{"class_type":"A"},"2":{"class_type":"B"}})"), "p");
  for (const char* others : {R"({"type":"executed","data":{"prompt_id":"q","node":"1"}})",
                             R"({"type":"execution_success","data":{"prompt_id":"q"}})",
                             R"({"type":"executing","data":{"node":null}})",
                             R"({"type":"executed","data":{"prompt_id":["p"],"node":"1"}})"}) {
    progress.take(others);
  }
  EXPECT_EQ(progress.share(), 0);
  EXPECT_FALSE(progress.ended());
  progress.take(R"({"type":"executed","data":{"prompt_id":"p","node":"1"}})");
  EXPECT_EQ(progress.share(), 0.5);
}

TEST(ComfyProgress, StandsWhateverIsSaid) {
  const std::vector<std::string> seeds{
      R"({"type":"progress","data":{"value":3,"max":20,"prompt_id":"p","node":"9"}})",
      R"({"type":"progress_state","data":{"prompt_id":"p","nodes":{"9":{"value":1e9,"max":2.5,
          "state":"running"},"1":{"state":"finished"}}}})",
      R"({"type":"executing","data":{"node":"9","prompt_id":"p"}})",
      R"({"type":"execution_cached","data":{"nodes":["1",2,null],"prompt_id":"p"}})"};
  const Json graph = Json::parse(R"({"1":{"class_type":"A"},"9":{"class_type":"KSampler"}})");
  std::mt19937 random(7);
  for (int run = 0; run < 20; ++run) {
    ComfyProgress progress(graph, "p");
    double before = 0;
    for (int i = 0; i < 1000; ++i) {
      std::string text = seeds[random() % seeds.size()];
      for (std::uint32_t cuts = random() % 4; cuts > 0; --cuts) {
        const std::size_t at = random() % text.size();
        if (random() % 2 == 0) text[at] = static_cast<char>(random());
        if (random() % 8 == 0) text.erase(at + 1);
        if (random() % 4 == 0) text.insert(at, text.substr(random() % text.size()));
      }
      progress.take(text);
      ASSERT_GE(progress.share(), before) << text;
      ASSERT_LE(progress.share(), 1.0) << text;
      before = progress.share();
    }
  }
}

}  // namespace
}  // namespace pytoon::engines
