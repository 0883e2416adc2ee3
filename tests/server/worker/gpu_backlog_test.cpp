// What a full card and a long queue lead to, and segments beside prompts.
#include "tests/server/worker/gpu_admission_fixture.h"

namespace pytoon::worker {
namespace {

TEST_F(GpuAdmissionTest, AComfyUIThatKeepsMemoryIsNamedWhenItDoesSoAgain) {
  open();
  const auto told = [this] {
    return lines_.str().find("comfyui_keeps_memory") != std::string::npos;
  };
  const auto makes_room = [&](const std::string& model, const std::string& other, double left_gib) {
    const int frees = comfy_.frees;
    {
      auto asked = ask(wish(model, 17, 2, 3));
      const Turn turn = ticked(asked);
      ASSERT_TRUE(turn);
      set(19 + left_gib, 0);
      admission_->tick();
    }
    set(17 + left_gib, 0);
    auto asked = ask(wish(other, 8, 2, 3));
    becomes([&] {
      admission_->tick();
      return comfy_.frees > frees;
    });
    set(left_gib, 0);
    ASSERT_TRUE(ticked(asked));
    admission_->tick();
  };
  makes_room("wan", "ltx", 1.5);
  EXPECT_FALSE(told()) << "once is no habit";
  makes_room("wan", "ltx", 0.5);
  makes_room("wan", "ltx", 1.5);
  EXPECT_FALSE(told()) << "it gave it back in between";
  makes_room("wan", "ltx", 1.6);
  EXPECT_TRUE(told());
  EXPECT_NE(lines_.str().find("\"residue_bytes\":1717986918"), std::string::npos) << lines_.str();
}

TEST_F(GpuAdmissionTest, TheQueueOfTheFleetIsWaitedForToo) {
  set(0, 20);
  PromptWish wanted = wish("wan", 1, 1, 1.2);
  wanted.may_leave = true;
  wanted.micro_usd = 1'000'000;  // 500 s of waiting
  wanted.latency = milliseconds(1000);
  for (int i = 0; i < 100; ++i) {
    generations_.queued.push_back({"other/1/" + std::to_string(i), wanted.priority,
                                   wanted.waiting_since - milliseconds(1), milliseconds(0)});
  }
  open();
  auto blocker = ask(wish("ltx", 1, 0.5, 0.5));
  const Turn runs = ticked(blocker);
  ASSERT_TRUE(runs);
  auto asked = ask(wanted);
  const Turn turn = ticked(asked);
  ASSERT_FALSE(turn);
  EXPECT_NE(turn.failure().detail.find("waiting would cost more"), std::string::npos)
      << turn.failure().detail;
  EXPECT_EQ(generations_.asked, 1);
}

TEST_F(GpuAdmissionTest, WhoIsBeforeTheQueueOfTheFleetStays) {
  set(0, 20);
  PromptWish wanted = wish("wan", 1, 1, 1.2);
  wanted.may_leave = true;
  wanted.micro_usd = 1'000'000;
  wanted.latency = milliseconds(1000);
  generations_.queued.push_back(
      {"other/1/0", wanted.priority, wanted.waiting_since + milliseconds(1), milliseconds(0)});
  open();
  auto blocker = ask(wish("ltx", 1, 0.5, 0.5));
  Turn runs = ticked(blocker);
  ASSERT_TRUE(runs);
  auto asked = ask(wanted);
  becomes([&] {
    admission_->tick();
    return !why().empty() && generations_.asked == 1;
  });
  EXPECT_FALSE(ready(asked));
  runs->reset();
  const Turn turn = ticked(asked);
  EXPECT_TRUE(turn) << turn.failure().detail;
}

TEST_F(GpuAdmissionTest, ASegmentIsPromisedWhatItCosts) {
  open();
  jobs::admission::Request segment;
  segment.task = "job/0";
  segment.cost.textures = 300 * kMiB;
  {
    const auto turn = admission_->wait_render(
        segment, {}, [](const std::string&) {}, [] {});
    ASSERT_TRUE(turn) << turn.failure().detail;
    ASSERT_EQ(promises().size(), 1U);
    EXPECT_EQ(promises()[0].bytes, 300 * kMiB);
    EXPECT_EQ(promises()[0].worker_id, "worker-1");
  }
  admission_->tick();
  EXPECT_EQ(metrics_.decisions["render run fits"], 1);
  segment.cost.textures = 30 * kGiB;
  const auto large = admission_->wait_render(
      segment, {}, [](const std::string&) {}, [] {});
  ASSERT_FALSE(large);
  EXPECT_NE(large.failure().detail.find("vram_exhausted"), std::string::npos);
}

TEST_F(GpuAdmissionTest, AJobLeavesAFullCardForIdleCores) {
  options_.render_patience = milliseconds(30'000);
  options_.render_threads = 4;
  set(0, 20);
  open();
  jobs::admission::Request segment;
  segment.cost.textures = kGiB / 2;
  segment.cost.duration = milliseconds(2000);  // 14 s on a core
  EXPECT_EQ(admission_->choose_compositor(segment, 5, {0, 8}).lane, Lane::kRender);
  set(0, 22.5);
  admission_->tick();
  EXPECT_EQ(admission_->choose_compositor(segment, 5, {0, 1}).kind,
            jobs::admission::Decision::Kind::kRun)
      << "no core is idle";
  const auto left = admission_->choose_compositor(segment, 5, {0, 8});
  EXPECT_EQ(left.lane, Lane::kCpu);
  EXPECT_EQ(
      sentence(left).find("goes to the CPU compositor: needs 512 MiB on GPU-0a; 768 MiB free"), 0U)
      << sentence(left);
  set(0, 0);
  admission_->tick();
  EXPECT_EQ(admission_->choose_compositor(segment, 5, {28, 8}).lane, Lane::kRender);
  const auto queued = admission_->choose_compositor(segment, 5, {29, 8});
  EXPECT_EQ(queued.lane, Lane::kCpu);
  EXPECT_EQ(queued.reason, jobs::admission::Reason::kBacklog);
  EXPECT_EQ(admission_->choose_compositor(segment, 5, {29, 8, 16}).lane, Lane::kRender)
      << "other workers with cards help";
}

// How many segments of two pieces get their turn at once, in a process of so many threads.
int turns_at_once(GpuAdmission& admission, const jobs::admission::Bytes bytes) {
  jobs::admission::Request segment;
  segment.cost.textures = bytes;
  segment.cost.pieces = 2;
  std::vector<std::unique_ptr<RenderTurn>> turns;
  for (;;) {
    segment.task = "job/" + std::to_string(turns.size());
    CancelToken cancel;
    auto turn = admission.wait_render(
        segment, cancel,
        [&cancel](const std::string& why) {
          if (!why.empty()) cancel.cancel();
        },
        [] {});
    if (!turn) return static_cast<int>(turns.size());
    turns.push_back(std::move(*turn));
  }
}

TEST_F(GpuAdmissionTest, AProcessHasAsManySegmentsOnTheCardAsItsThreadsCanUse) {
  options_.render_threads = 16;
  open();
  EXPECT_EQ(turns_at_once(*admission_, 100 * kMiB), 9);
  EXPECT_EQ(metrics_.decisions["render wait slots"], 1);
  options_.render_threads = 2;
  open();
  EXPECT_EQ(turns_at_once(*admission_, 100 * kMiB), 2);
}

TEST_F(GpuAdmissionTest, ThreadsPromiseNoMemoryThatIsNotThere) {
  options_.render_threads = 16;
  options_.render_patience = milliseconds(0);
  open();
  EXPECT_EQ(turns_at_once(*admission_, 5 * kGiB), 4) << "of 24 GiB";
}

TEST_F(GpuAdmissionTest, ASegmentWaitsBesideAPromptThatHasTheMemory) {
  open();
  auto asked = ask(wish());
  Turn prompt = ticked(asked);  // all that is free, for its first run
  ASSERT_TRUE(prompt);
  jobs::admission::Request segment;
  segment.task = "job/0";
  segment.cost.textures = 300 * kMiB;
  const auto turn = admission_->wait_render(
      segment, {}, [](const std::string&) {}, [] {});
  ASSERT_FALSE(turn);
  EXPECT_NE(turn.failure().detail.find("promised to others"), std::string::npos)
      << turn.failure().detail;
  prompt->reset();
  clock_.sleep_for(milliseconds(2));  // a sample of the same microsecond may be of before
  admission_->tick();
  const auto next = admission_->wait_render(
      segment, {}, [](const std::string&) {}, [] {});
  EXPECT_TRUE(next) << next.failure().detail;
}

}  // namespace
}  // namespace pytoon::worker
