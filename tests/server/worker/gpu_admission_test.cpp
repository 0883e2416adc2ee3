// Prompts that wait for their card: admission control at run time.
#include "tests/server/worker/gpu_admission_fixture.h"

namespace pytoon::worker {
namespace {

TEST_F(GpuAdmissionTest, AFirstRunIsTiledAndPromisedAllThatIsFree) {
  open();
  auto asked = ask(wish());
  const Turn turn = ticked(asked);
  ASSERT_TRUE(turn) << turn.failure().detail;
  EXPECT_TRUE((*turn)->tiled());
  EXPECT_EQ((*turn)->endpoint(), server_.base().origin);
  ASSERT_EQ(promises().size(), 1U);
  EXPECT_EQ(promises()[0].lane, Lane::kGenerate);
  EXPECT_EQ(promises()[0].bytes, 24 * kGiB - (768 + 512) * kMiB);
}

TEST_F(GpuAdmissionTest, ARunTeachesTheNextOne) {
  open();
  {
    auto asked = ask(wish());
    const Turn turn = ticked(asked);
    ASSERT_TRUE(turn);
    set(11, 0);  // 8 of weights, 3 to work with
    admission_->tick();
    (*turn)->ended(PromptEnd::kDone);
  }
  ASSERT_EQ(profiles_.observed.size(), 1U);
  EXPECT_EQ(profiles_.observed[0].working, 3 * kGiB);
  set(8, 0);
  auto asked = ask(wish());
  const Turn turn = ticked(asked);
  ASSERT_TRUE(turn);
  EXPECT_FALSE((*turn)->tiled());  // known by now, and it fits as it is
  const std::vector<Promise> all = promises();
  const Bytes full = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
                       return a.epoch < b.epoch;
                     })->bytes;
  EXPECT_GT(full, (8 + 5 * 3 / 2) * kGiB);  // learned: half as much again as its file says
}

TEST_F(GpuAdmissionTest, MetricsAreToldTheCardsOfThisMoment) {
  card_.reading.name = "NVIDIA GeForce RTX 4090";
  card_.reading.encoder_sessions = 3;
  open();
  const jobs::admission::Sample sample = ledger_.state(kCard)->sample;
  EXPECT_EQ(sample.encoder_sessions_foreign, 3);
  ASSERT_EQ(metrics_.sampled().size(), 1U);
  EXPECT_EQ(metrics_.sampled()[0].gpu, kCard);
  EXPECT_EQ(metrics_.sampled()[0].free, sample.free);
  EXPECT_EQ(metrics_.sampled()[0].sessions_used, 3);
  card_.gone = true;
  admission_->tick();
  EXPECT_TRUE(metrics_.sampled().empty());
}

TEST_F(GpuAdmissionTest, OnePromptAtATimeAndTheNextAfterTheCardWasMeasured) {
  open();
  auto first = ask(wish());
  Turn turn = ticked(first);
  ASSERT_TRUE(turn);
  auto second = ask(wish());
  for (int i = 0; i < 5; ++i) admission_->tick();
  EXPECT_FALSE(ready(second));
  becomes([&] { return why().find("ComfyUI runs another prompt") != std::string::npos; });
  turn->reset();
  EXPECT_FALSE(ready(second));
  EXPECT_TRUE(ticked(second));
}

TEST_F(GpuAdmissionTest, WhoStandsBehindItsOwnWorkflowIsToldSo) {
  open();
  auto first = ask(wish());
  Turn turn = ticked(first);
  ASSERT_TRUE(turn);
  auto second = ask(wish());
  auto third = ask(wish());
  becomes([&] {
    admission_->tick();
    return why().find("wait longer go first") != std::string::npos;
  });
  EXPECT_EQ(why().find("needs 0"), std::string::npos) << why();
  turn->reset();
  turn = ticked(second);
  turn->reset();
  EXPECT_TRUE(ticked(third));
}

TEST_F(GpuAdmissionTest, IdleModelsMakeRoom) {
  open();
  {
    auto asked = ask(wish("wan", 18, 2, 4));
    const Turn turn = ticked(asked);
    ASSERT_TRUE(turn);
    set(19, 0);
    admission_->tick();
  }
  set(18, 0);
  auto asked = ask(wish("ltx", 8, 2, 5));
  becomes([&] {
    admission_->tick();
    return comfy_.frees == 1;
  });
  for (int i = 0; i < 5; ++i) admission_->tick();
  EXPECT_FALSE(ready(asked));  // its 200 is no memory yet
  set(0.5, 0);
  const Turn turn = ticked(asked);
  ASSERT_TRUE(turn) << turn.failure().detail;
  EXPECT_EQ(comfy_.frees, 1);
  const auto state = ledger_.state(kCard);
  EXPECT_EQ(state->sample.endpoint.residue, kGiB / 2);
  EXPECT_EQ(metrics_.violations, 0);
}

TEST_F(GpuAdmissionTest, WhereItMayLeaveAFullCardSendsItAway) {
  set(0, 20);
  open();
  PromptWish wanted = wish("wan", 8, 2, 5);
  wanted.may_leave = true;
  wanted.micro_usd = 1000;
  wanted.latency = milliseconds(1000);
  auto blocker = ask(wish("ltx", 1, 0.5, 0.5));
  const Turn runs = ticked(blocker);
  ASSERT_TRUE(runs);
  auto asked = ask(wanted);
  const Turn turn = ticked(asked);
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(turn.failure().detail.find("vram_exhausted: goes to a remote engine: needs 10"),
            std::string::npos)
      << turn.failure().detail;
}

// Nothing but it waits here; a hundred do in the database.
TEST_F(GpuAdmissionTest, WhatMustStayWaitsAndSaysWhy) {
  set(0, 20);
  open();
  Watch watch;
  auto asked = ask(wish(), watch);
  becomes([&] {
    admission_->tick();
    return why().find("needs 10.6 GiB on GPU-0a; 3.2 GiB free, other programs hold 20.0 GiB") !=
           std::string::npos;
  });
  EXPECT_NE(why().find("other programs hold 20.0 GiB"), std::string::npos) << why();
  EXPECT_FALSE(ready(asked));
  watch.cancel.cancel();
  const Turn turn = asked.get();
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.failure().kind, FailureKind::kCancelled);
  EXPECT_TRUE(promises().empty());
}

TEST_F(GpuAdmissionTest, WhatFitsOnNoCardIsSaidAtOnce) {
  open();
  auto asked = ask(wish("hun", 20, 10, 20));
  const Turn turn = ticked(asked);
  ASSERT_FALSE(turn);
  EXPECT_NE(turn.failure().detail.find("the largest card can give"), std::string::npos)
      << turn.failure().detail;
}

TEST_F(GpuAdmissionTest, AnEndpointOfAnotherMachineIsNotOurs) {
  comfy_.vram.total = std::int64_t{80} << 30;
  open();
  auto asked = ask(wish());
  const Turn turn = asked.get();
  ASSERT_TRUE(turn);
  EXPECT_TRUE((*turn)->tiled());
  EXPECT_TRUE(promises().empty());
}

TEST_F(GpuAdmissionTest, ACardThatIsNotMeasuredPromisesNothing) {
  options_.controller.ledger.sample_age_max = milliseconds(20);
  jobs::admission::LedgerOptions strict;
  strict.sample_age_max = milliseconds(20);
  open();
  {
    const std::lock_guard lock(card_.mutex);
    card_.gone = true;
  }
  clock_.sleep_for(milliseconds(40));
  jobs::admission::Request segment;
  segment.task = "job/0";
  segment.cost.textures = 100 * kMiB;
  const auto turn = admission_->wait_render(
      segment, {}, [](const std::string&) {}, [] {});
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(turn.failure().detail.find("was not measured in time"), std::string::npos);
}

TEST_F(GpuAdmissionTest, APromptLeavesACardThatNobodyMeasuresAnyMore) {
  options_.controller.ledger.sample_age_max = milliseconds(20);
  options_.card_patience = milliseconds(300);
  open();
  {
    const std::lock_guard lock(card_.mutex);
    card_.gone = true;
  }
  clock_.sleep_for(milliseconds(40));
  auto first = ask(wish());
  auto second = ask(wish());
  for (auto* const asked : {&first, &second}) {
    const Turn turn = ticked(*asked);
    ASSERT_FALSE(turn);
    EXPECT_EQ(turn.failure().kind, FailureKind::kUnavailable);
    EXPECT_TRUE(turn.failure().detail.starts_with("stale_sample: needs 10"))
        << turn.failure().detail;
    EXPECT_NE(turn.failure().detail.find("was not measured in time"), std::string::npos);
  }
}

TEST_F(GpuAdmissionTest, BeforeItIsKnownWhoseCardItIsNoPromptIsSent) {
  make();
  auto asked = ask(wish());
  clock_.sleep_for(milliseconds(200));
  EXPECT_FALSE(ready(asked));
  EXPECT_TRUE(ticked(asked));
  EXPECT_EQ(promises().size(), 1U);
}

TEST_F(GpuAdmissionTest, AnEndpointThatDoesNotAnswerHasWhatItHad) {
  open();
  auto asked = ask(wish());
  const Turn turn = ticked(asked);
  ASSERT_TRUE(turn);
  set(11, 0);
  admission_->tick();
  comfy_.stop();
  admission_->tick();
  auto endpoint = ledger_.state(kCard)->sample.endpoint;
  EXPECT_EQ(endpoint.state, jobs::admission::EndpointSample::State::kDown);
  EXPECT_EQ(endpoint.working, 3 * kGiB);
  EXPECT_EQ(resident_bytes(ledger_.state(kCard)->sample, "wan"), 8 * kGiB);
  EXPECT_EQ(ledger_.state(kCard)->sample.foreign, 0);
  EXPECT_EQ(metrics_.violations, 0);
  {
    const std::lock_guard lock(card_.mutex);
    card_.reading.free_bytes = card_.reading.total_bytes;  // it died
  }
  admission_->tick();
  endpoint = ledger_.state(kCard)->sample.endpoint;
  EXPECT_EQ(endpoint.working, 0);
  EXPECT_TRUE(endpoint.models.empty());
}

TEST_F(GpuAdmissionTest, WhatALoadingEndpointTakesWhileItIsMeasuredIsNoForeigners) {
  open();
  auto asked = ask(wish());
  const Turn turn = ticked(asked);
  ASSERT_TRUE(turn);
  set(4, 0);
  {
    const std::lock_guard lock(card_.mutex);
    card_.grows = std::uint64_t{2} << 30;
  }
  admission_->tick();
  EXPECT_EQ(ledger_.state(kCard)->sample.foreign, 0);
  EXPECT_EQ(metrics_.violations, 0);
  {
    const std::lock_guard lock(card_.mutex);
    card_.grows = 0;
  }
  set(6, 3);  // these are
  admission_->tick();
  EXPECT_EQ(ledger_.state(kCard)->sample.foreign, 3 * kGiB);
  EXPECT_EQ(metrics_.violations, 1);
}

TEST_F(GpuAdmissionTest, WeightsAreKnownOfPromptsOfOtherProcesses) {
  open();
  admission_->know(wish().prior);
  jobs::admission::Wish other;
  other.gpu = kCard;
  other.worker_id = "worker-2";
  other.task = "elsewhere";
  other.lane = Lane::kGenerate;
  other.bytes = 12 * kGiB;
  other.model = "wan";
  const auto granted = ledger_.promise(other);
  ASSERT_TRUE(granted && std::holds_alternative<Promise>(*granted));
  set(11, 0);
  admission_->tick();
  const auto sample = ledger_.state(kCard)->sample;
  EXPECT_EQ(resident_bytes(sample, "wan"), 8 * kGiB);
  EXPECT_EQ(sample.endpoint.working, 3 * kGiB);
}

}  // namespace
}  // namespace pytoon::worker
