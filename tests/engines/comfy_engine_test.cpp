#include "engines/comfyui/comfy_engine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engines/comfy_fixture.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using Fault = support::ComfyPlan::Fault;

TEST_F(ComfyEngineTest, MakesAClipFromAnImage) {
  expect_good(generate());
  ASSERT_EQ(comfy_.graphs.size(), 1U);
  const auto& graph = comfy_.graphs[0];
  EXPECT_EQ(graph["3"]["inputs"]["amount"], 90);
  EXPECT_EQ(graph["4"]["inputs"]["fps"], 30.0);
  EXPECT_EQ(comfy_.uploads.at(graph["1"]["inputs"]["image"].get<std::string>()), "\x89PNG picture");
  EXPECT_EQ(comfy_.prefixes[0], "pytoon/" + comfy_.prompt_ids[0] + "/clip");
  EXPECT_EQ(comfy_.forgotten, comfy_.prompt_ids);
  EXPECT_TRUE(comfy_.interrupted.empty());
  EXPECT_TRUE(comfy_.taken_out.empty());
  EXPECT_TRUE(comfy_.faults.empty());
}

TEST_F(ComfyEngineTest, QuotesTheWorkflowThatDrawsIt) {
  const Result<Quote> quoted = engine()->quote(request());
  ASSERT_TRUE(quoted) << quoted.failure().detail;
  EXPECT_FALSE(quoted->workflow.empty() || quoted->duration.count() <= 0);
  EXPECT_EQ(quoted->at_once, 1);  // a server runs one prompt
}

TEST_F(ComfyEngineTest, FindsItsFileUnderWhateverNameItStands) {
  comfy_.plan.list = "gifs";
  expect_good(generate());
}

TEST_F(ComfyEngineTest, TheSameRequestTwiceIsTwoRuns) {
  const auto made = engine();
  expect_good(made->generate(request(), watch_));
  expect_good(made->generate(request(), watch_));
  ASSERT_EQ(comfy_.prefixes.size(), 2U);
  EXPECT_NE(comfy_.prefixes[0], comfy_.prefixes[1]);
}

// What a process leaves behind that dies with its prompt ordered.
class OrphanedPromptTest : public ComfyEngineTest {
 protected:
  static constexpr const char* kOrphan = "0b7a9f6e-1c2d-4e3f-8a9b-0c1d2e3f4a5b";

  // Of the request's task, unless another is said.
  void leave_behind(const std::string& task = "") {
    FootageRequest earlier = request();
    earlier.segment = 9;
    expect_good(made_->generate(earlier, watch_));  // for its graph
    const std::string own =
        request().key() + "/" +
        read_workflow(support::source_dir() / "config/workflows/model_free.json")->name;
    ASSERT_TRUE(
        server_.submit(comfy_.graphs[0], kOrphan, kOrphan, task.empty() ? own : task, watch_));
  }
  Result<plan::SegmentSource> take_over() {
    FootageRequest again = request();
    again.taken_over = true;
    return made_->generate(again, watch_);
  }

  const std::unique_ptr<ComfyEngine> made_ = engine();
  ComfyServer server_{
      http_, clock_, parse_web_address(comfy_.url()).value(), EgressScope::kPrivate, {}};
};

TEST_F(OrphanedPromptTest, WhileItRunsIsFollowedAndNotMadeAgain) {
  leave_behind();
  expect_good(take_over());
  EXPECT_EQ(comfy_.prompt_ids.size(), 2U);
  EXPECT_EQ(comfy_.forgotten.back(), kOrphan);
}

TEST_F(OrphanedPromptTest, ThatHasEndedIsFetched) {
  leave_behind();
  while (server_.find(kOrphan, watch_)->where != ComfyServer::Place::Where::kFinished) {
  }
  expect_good(take_over());
  EXPECT_EQ(comfy_.prompt_ids.size(), 2U);
  EXPECT_EQ(comfy_.forgotten.back(), kOrphan);
}

TEST_F(OrphanedPromptTest, ThatFailedIsForgottenAndMadeAgain) {
  leave_behind();
  comfy_.plan.fault = Fault::kFails;
  comfy_.plan.times = 1;
  expect_good(take_over());
  EXPECT_EQ(comfy_.prompt_ids.size(), 3U);
  EXPECT_NE(std::find(comfy_.forgotten.begin(), comfy_.forgotten.end(), kOrphan),
            comfy_.forgotten.end());
}

TEST_F(OrphanedPromptTest, OfAnotherTaskIsLeftAlone) {
  leave_behind("somebody/1/0/else");
  expect_good(take_over());
  EXPECT_EQ(comfy_.prompt_ids.size(), 3U);
  EXPECT_EQ(std::find(comfy_.forgotten.begin(), comfy_.forgotten.end(), kOrphan),
            comfy_.forgotten.end());
}

TEST_F(ComfyEngineTest, ALostPromptIsSentAgainABoundedNumberOfTimes) {
  comfy_.plan.fault = Fault::kForgets;
  comfy_.plan.times = 2;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 3U);
  EXPECT_EQ(std::set<std::string>(comfy_.prompt_ids.begin(), comfy_.prompt_ids.end()).size(), 3U);
}

TEST_F(ComfyEngineTest, APromptLostEveryTimeIsGivenUp) {
  comfy_.plan.fault = Fault::kForgets;
  expect_failed(generate(), FailureKind::kUnavailable, "lost the prompt");
  EXPECT_EQ(comfy_.prompt_ids.size(), 3U);
}

TEST_F(ComfyEngineTest, AServerThatDiesWithThePromptIsUnavailable) {
  comfy_.plan.fault = Fault::kDies;
  ASSERT_FALSE(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
}

TEST_F(ComfyEngineTest, AnotherServerTakesOverFromADeadOne) {
  support::FakeComfyServer other;
  other.plan.clip = kGoodClip;
  other.plan.other_prompts = 3;  // busier, so not the first choice
  comfy_.plan.fault = Fault::kDies;
  expect_good(engine({comfy_.url(), other.url()})->generate(request(), watch_));
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
  EXPECT_EQ(other.prompt_ids.size(), 1U);
}

TEST_F(ComfyEngineTest, TheLeastBusyServerThatCanIsTaken) {
  support::FakeComfyServer busy;
  support::FakeComfyServer lacking;
  busy.plan.other_prompts = 5;
  lacking.plan.missing_nodes = {"SaveVideo"};
  comfy_.plan.other_prompts = 2;
  expect_good(engine({busy.url(), lacking.url(), comfy_.url()})->generate(request(), watch_));
  EXPECT_TRUE(busy.prompt_ids.empty());
  EXPECT_TRUE(lacking.prompt_ids.empty());
}

TEST_F(ComfyEngineTest, ADroppedAnswerIsLookedForNotRepeated) {
  comfy_.plan.fault = Fault::kLostAnswer;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
}

TEST_F(ComfyEngineTest, SuccessWithoutAFileIsAFailure) {
  comfy_.plan.fault = Fault::kNoFile;
  expect_failed(generate(), FailureKind::kEngine, "without a file");
}

TEST_F(ComfyEngineTest, AFileThatVanishedIsMadeAgain) {
  comfy_.plan.fault = Fault::kVanishedFile;
  comfy_.plan.times = 1;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 2U);
}

TEST_F(ComfyEngineTest, NodeErrorsAreARejectionEvenWithStatus200) {
  comfy_.plan.fault = Fault::kNodeErrors;
  expect_failed(generate(), FailureKind::kEngine, "'av2' not in");
  EXPECT_EQ(comfy_.interrupted, comfy_.prompt_ids);
}

TEST_F(ComfyEngineTest, ARejectionSaysWhichNode) {
  comfy_.plan.fault = Fault::kRejects;
  expect_failed(generate(), FailureKind::kEngine, "node 9 (SaveVideo)");
  EXPECT_TRUE(comfy_.prompt_ids.empty());
}

TEST_F(ComfyEngineTest, OutOfMemoryIsToldFromOtherErrors) {
  comfy_.plan.fault = Fault::kOutOfMemory;
  expect_failed(generate(), FailureKind::kOutOfMemory, "node 3 (KSampler): out of GPU memory");
  comfy_.plan.fault = Fault::kFails;
  expect_failed(generate(), FailureKind::kEngine, "node 3 (KSampler): height not divisible by 2");
  comfy_.plan.fault = Fault::kInterrupted;
  expect_failed(generate(), FailureKind::kEngine, "interrupted");
}

TEST_F(ComfyEngineTest, BadFilesAreNoClips) {
  comfy_.plan.fault = Fault::kHtml;
  expect_failed(generate(), FailureKind::kMedia, "no good");
  comfy_.plan.fault = Fault::kNone;
  comfy_.plan.clip = kBlackClip;
  expect_failed(generate(), FailureKind::kMedia, "no good");
  comfy_.plan.clip = std::string(1001, 'x');
  expect_failed(generate(), FailureKind::kEngine, "more than");
}

TEST_F(ComfyEngineTest, ACutDownloadIsTriedAgain) {
  comfy_.plan.fault = Fault::kCut;
  comfy_.plan.times = 1;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 1U);
}

TEST_F(ComfyEngineTest, ATricklingDownloadIsGivenUp) {
  comfy_.plan.fault = Fault::kTrickle;
  comfy_.plan.clip = std::string(1000, 'x');
  expect_failed(generate(), FailureKind::kTimeout, "");
}

TEST_F(ComfyEngineTest, ARedirectIsNotFollowed) {
  support::FakeHttpServer inner([](const support::Call&) { return support::Reply{200, "inner"}; });
  comfy_.plan.fault = Fault::kRedirect;
  comfy_.plan.redirect_to = inner.url("/x");
  expect_failed(generate(), FailureKind::kEngine, "redirects");
  EXPECT_EQ(inner.connections(), 0);
}

TEST_F(ComfyEngineTest, AServerErrorIsAFailure) {
  comfy_.plan.fault = Fault::kServerError;
  expect_failed(generate(), FailureKind::kEngine, "status 500");
}

TEST_F(ComfyEngineTest, AServerThatHangsIsGivenUp) {
  comfy_.plan.fault = Fault::kHangs;
  expect_failed(generate(), FailureKind::kUnavailable, "went away");
}

TEST_F(ComfyEngineTest, ACancelStopsItsOwnPromptOnly) {
  comfy_.plan.fault = Fault::kUnfinished;
  watch_.progress = [](double) {};
  const Result<plan::SegmentSource> generated =
      cancelled_once([&] { return comfy_.connections() >= 12; }, [&] { return generate(); });
  expect_failed(generated, FailureKind::kCancelled, "");
  EXPECT_EQ(comfy_.interrupted, comfy_.prompt_ids);
  EXPECT_EQ(comfy_.forgotten, comfy_.prompt_ids) << "nothing of it stays in the history";
  EXPECT_TRUE(comfy_.taken_out.empty());
  EXPECT_TRUE(comfy_.faults.empty());
}

TEST_F(ComfyEngineTest, ACancelTakesAWaitingPromptOutOfTheQueue) {
  comfy_.plan.fault = Fault::kUnfinished;
  comfy_.plan.other_prompts = 1;  // runs, and must go on
  const Result<plan::SegmentSource> generated =
      cancelled_once([&] { return comfy_.connections() >= 12; }, [&] { return generate(); });
  expect_failed(generated, FailureKind::kCancelled, "");
  EXPECT_EQ(comfy_.taken_out, comfy_.prompt_ids);
  EXPECT_TRUE(comfy_.interrupted.empty());
  EXPECT_TRUE(comfy_.faults.empty());
}

TEST_F(ComfyEngineTest, OutOfTimeStopsItsPrompt) {
  comfy_.plan.fault = Fault::kUnfinished;
  watch_.deadline = clock_.steady_now() + std::chrono::milliseconds(300);
  expect_failed(generate(), FailureKind::kTimeout, "");
  EXPECT_EQ(comfy_.interrupted, comfy_.prompt_ids);
}

TEST_F(ComfyEngineTest, WhatAServerLacksIsNamed) {
  comfy_.plan.missing_nodes = {"RepeatImageBatch"};
  const auto made = engine();
  const ComfyEngine::Findings found = made->find_problems(watch_);
  EXPECT_FALSE(found.usable);
  const std::vector<std::string>& problems = found.problems;
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("workflow model_free: it has no node RepeatImageBatch"),
            std::string::npos);
  expect_failed(made->generate(request(), watch_), FailureKind::kUnavailable, "RepeatImageBatch");
  EXPECT_TRUE(comfy_.prompt_ids.empty());
}

TEST_F(ComfyEngineTest, AnOldServerThatStopsOthersPromptsIsNotUsed) {
  for (const char* old : {"0.3.56", "0.2.9", "0.3.2"}) {
    comfy_.plan.version = old;
    expect_failed(generate(), FailureKind::kUnavailable, "0.3.57 or newer");
  }
  EXPECT_TRUE(comfy_.prompt_ids.empty());
  for (const char* good : {"0.3.57", "0.34.0", "1.0.0", "nightly"}) {
    comfy_.plan.version = good;
    expect_good(generate());
  }
}

TEST_F(ComfyEngineTest, AServerThatRestartsIsWaitedFor) {
  comfy_.plan.fault = Fault::kRestarts;
  comfy_.plan.times = 1;
  comfy_.plan.restart_calls = 20;
  expect_good(generate());
  EXPECT_EQ(comfy_.prompt_ids.size(), 2U);
}

TEST_F(ComfyEngineTest, NobodyIsToldWhereTheServersAre) {
  const std::string where = std::to_string(comfy_.port());
  comfy_.plan.fault = Fault::kServerError;
  const auto senseless = generate();
  comfy_.plan.fault = Fault::kNone;
  comfy_.plan.missing_nodes = {"RepeatImageBatch"};
  const auto lacking = generate();
  comfy_.stop();
  const auto gone = generate();
  const Status ill = engine()->health(watch_);
  for (const std::string& detail : {senseless.failure().detail, lacking.failure().detail,
                                    gone.failure().detail, ill.failure().detail}) {
    EXPECT_EQ(detail.find("127.0.0.1"), std::string::npos) << detail;
    EXPECT_EQ(detail.find(where), std::string::npos) << detail;
  }
  EXPECT_NE(lines_.str().find(where), std::string::npos) << "operators are";
}

TEST_F(ComfyEngineTest, HealthIsOfAnyServer) {
  EXPECT_TRUE(engine()->health(watch_));
  comfy_.stop();
  EXPECT_FALSE(engine()->health(watch_));
  support::FakeComfyServer other;
  EXPECT_TRUE(engine({comfy_.url(), other.url()})->health(watch_));
}

TEST_F(ComfyEngineTest, ALocalOneNeverLeavesThePrivateNetwork) {
  const auto made = engine({"http://8.8.8.8:8188"});
  const Status health = made->health(watch_);
  ASSERT_FALSE(health);
  EXPECT_EQ(health.failure().kind, FailureKind::kEngine) << health.failure().detail;
}

TEST_F(ComfyEngineTest, SaysWhatItTakesOfTheCard) {
  const auto made = engine();
  ASSERT_EQ(made->servers().size(), 1U);
  comfy_.vram = {std::int64_t{24} << 30, std::int64_t{15} << 30, std::int64_t{8} << 30,
                 std::int64_t{1} << 30};
  const auto memory = made->servers()[0]->memory(watch_);
  ASSERT_TRUE(memory) << memory.failure().detail;
  EXPECT_TRUE(memory->cuda);
  EXPECT_FALSE(memory->dynamic_vram);
  EXPECT_EQ(memory->total_bytes, std::int64_t{24} << 30);
  EXPECT_EQ(memory->free_bytes, std::int64_t{14} << 30);  // without what torch keeps for itself
  EXPECT_EQ(memory->reserved_bytes, std::int64_t{8} << 30);
  comfy_.arguments = {"main.py", "--highvram"};
  comfy_.packages = {"comfy-aimdo"};
  EXPECT_TRUE(made->servers()[0]->memory(watch_)->dynamic_vram);
  comfy_.arguments = {"main.py", "--disable-dynamic-vram"};
  EXPECT_FALSE(made->servers()[0]->memory(watch_)->dynamic_vram);
  EXPECT_TRUE(made->servers()[0]->free_memory(watch_));
  EXPECT_EQ(comfy_.frees, 1);
}

// Who says yes, or no, and remembers what it was asked.
class FakeAdmission final : public PromptAdmission {
 public:
  class Turn final : public PromptTurn {
   public:
    explicit Turn(FakeAdmission& of) : of_(of) {}
    ~Turn() override { --of_.open; }
    const std::string& endpoint() const override { return of_.endpoint; }
    bool tiled() const override { return of_.tiled; }
    void ended(PromptEnd end) override { of_.ends.push_back(end); }

   private:
    FakeAdmission& of_;
  };

  Result<std::unique_ptr<PromptTurn>> wait_turn(const PromptWish& wish,
                                                const Watch& /*watch*/) override {
    wishes.push_back(wish);
    if (refusal) return *refusal;
    if (endpoint.empty()) endpoint = wish.endpoints.back();
    ++open;
    return std::unique_ptr<PromptTurn>(new Turn(*this));
  }

  std::optional<Failure> refusal;
  std::string endpoint;
  bool tiled = false;
  std::vector<PromptWish> wishes;
  std::vector<PromptEnd> ends;
  int open = 0;
};

TEST_F(ComfyEngineTest, RunsWhereAndHowItWasAdmitted) {
  support::FakeComfyServer other;
  other.plan.clip = kGoodClip;
  const auto made = engine({comfy_.url(), other.url()});
  FakeAdmission admission;
  admission.endpoint = other.url();
  made->admit_by(admission);
  FootageRequest wanted = request();
  wanted.alternative = {250'000, std::chrono::milliseconds(60'000)};
  expect_good(made->generate(wanted, watch_));
  EXPECT_TRUE(comfy_.graphs.empty());
  EXPECT_EQ(other.graphs.size(), 1U);
  ASSERT_EQ(admission.wishes.size(), 1U);
  EXPECT_EQ(admission.wishes[0].workflow, "model_free");
  EXPECT_EQ(admission.wishes[0].endpoints.size(), 2U);
  EXPECT_TRUE(admission.wishes[0].may_leave);
  EXPECT_EQ(admission.wishes[0].micro_usd, 250'000);
  EXPECT_EQ(admission.ends, std::vector{PromptEnd::kDone});
  EXPECT_EQ(admission.open, 0);
}

TEST_F(ComfyEngineTest, SaysWhyItWasNotAdmitted) {
  const auto made = engine();
  FakeAdmission admission;
  admission.refusal = failure(FailureKind::kOutOfMemory, "vram_exhausted: needs 6.1 GiB on GPU-1");
  made->admit_by(admission);
  expect_failed(made->generate(request(), watch_), FailureKind::kOutOfMemory, "vram_exhausted");
  EXPECT_TRUE(comfy_.graphs.empty());
}

// Its profile has learned by then, so that it is promised what it needs.
TEST_F(ComfyEngineTest, APromptThatRanOutOfMemoryIsAdmittedOnceMore) {
  const auto made = engine();
  FakeAdmission admission;
  made->admit_by(admission);
  comfy_.plan.fault = Fault::kOutOfMemory;
  comfy_.plan.times = 1;
  expect_good(made->generate(request(), watch_));
  EXPECT_EQ(admission.ends, (std::vector{PromptEnd::kOutOfMemory, PromptEnd::kDone}));
  EXPECT_EQ(admission.open, 0);
}

TEST_F(ComfyEngineTest, ItsLimitCountsFromWhenThePromptRuns) {
  comfy_.plan.other_prompts = 3;
  comfy_.plan.other_looks = 4;
  comfy_.plan.looks = 10;
  const auto made = engine();
  watch_.limit = std::chrono::milliseconds(300);
  std::vector<std::string> waited;
  watch_.waiting = [&waited](const std::string& why) { waited.push_back(why); };
  expect_good(made->generate(request(), watch_));
  ASSERT_GE(waited.size(), 2U);
  EXPECT_NE(waited.front().find("runs another prompt"), std::string::npos);
  EXPECT_EQ(waited.back(), "");
}

TEST(WorkflowTest, TilesTheDecodingWhereItDoesNotAlready) {
  const auto wan = read_workflow(support::source_dir() / "config/workflows/wan22_5b_i2v.json");
  ASSERT_TRUE(wan) << wan.failure().detail;
  EXPECT_EQ(wan->graph["10"]["class_type"], "VAEDecode");
  const Json tiled = with_tiled_decoding(wan->graph);
  EXPECT_EQ(tiled["10"]["class_type"], "VAEDecodeTiled");
  EXPECT_EQ(tiled["10"]["inputs"]["samples"], wan->graph["10"]["inputs"]["samples"]);
  EXPECT_EQ(tiled["10"]["inputs"]["tile_size"], 512);
  EXPECT_EQ(with_tiled_decoding(tiled), tiled);
  const WorkflowPrior prior = prior_of(*wan);
  EXPECT_GT(prior.working_bytes, prior.tiled_bytes);
  EXPECT_EQ(prior.weights_bytes + prior.tiled_bytes, wan->vram_bytes);
  const auto other = read_workflow(support::source_dir() / "config/workflows/wan22_5b_t2v.json");
  EXPECT_EQ(prior_of(*other).model, prior.model);  // the same files: they share what is loaded
}

}  // namespace
}  // namespace pytoon::engines
