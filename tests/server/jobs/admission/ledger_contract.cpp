#include "tests/server/jobs/admission/ledger_contract.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/server/jobs/admission/admission_samples.h"

namespace pytoon::jobs::admission {

using std::chrono::milliseconds;

void PrintTo(const LedgerMaker& maker, std::ostream* out) { *out << maker.name; }

void LedgerContract::SetUp() {
  made_ = GetParam().make(clock_, {});
  ledger_ = made_.ledger.get();
}

Sample LedgerContract::sample(double free_gib) {
  advance(milliseconds(1));
  Sample taken = idle_card().sample;
  taken.at = ledger_->now().value();
  taken.free = gib(free_gib);
  return taken;
}

Published LedgerContract::publish(Sample taken, const std::string& gpu) {
  Result<Published> published = ledger_->publish(gpu, taken);
  EXPECT_TRUE(published) << published.failure().detail;
  return published ? *published : Published{};
}

Wish LedgerContract::render_wish(double size_gib, const std::string& task) const {
  Wish wish;
  wish.gpu = "GPU-A";
  wish.worker_id = "worker-1";
  wish.task = task;
  wish.bytes = gib(size_gib);
  wish.duration = seconds(4);
  wish.segments_max = 4;
  return wish;
}

Wish LedgerContract::prompt_wish(double size_gib, const std::string& task) const {
  Wish wish = render_wish(size_gib, task);
  wish.lane = Lane::kGenerate;
  wish.model = "ltx";
  return wish;
}

Promise LedgerContract::give(const Wish& wish) {
  Result<Granted> granted = ledger_->promise(wish);
  EXPECT_TRUE(granted) << granted.failure().detail;
  if (!granted) return {};
  const Promise* const promise = std::get_if<Promise>(&*granted);
  EXPECT_NE(promise, nullptr) << name_of(std::get<Refusal>(*granted));
  return promise != nullptr ? *promise : Promise{};
}

std::string LedgerContract::answer(const Wish& wish) {
  Result<Granted> granted = ledger_->promise(wish);
  if (!granted) return granted.failure().detail;
  const Refusal* const refusal = std::get_if<Refusal>(&*granted);
  return refusal == nullptr ? "given" : std::string(name_of(*refusal));
}

GpuState LedgerContract::state(const std::string& gpu) {
  Result<GpuState> found = ledger_->state(gpu);
  EXPECT_TRUE(found) << found.failure().detail;
  return found ? *found : GpuState{};
}

TEST_P(LedgerContract, KeepsWhatWasSampled) {
  EXPECT_EQ(ledger_->state("GPU-A").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(ledger_->promise(render_wish(1)).failure().kind, FailureKind::kNotFound);
  Sample taken = sample(7);
  taken.foreign = gib(2);
  taken.name = "A card";
  taken.encoder_sessions = 3;
  taken.encoder_sessions_max = 5;
  taken.encoder_sessions_foreign = 1;
  taken.held = {{7, gib(1)}, {8, gib(2)}};
  taken.endpoint.dynamic_vram = true;
  taken.endpoint.restartable = true;
  taken.endpoint.running = 7;
  taken.endpoint.working = gib(3);
  taken.endpoint.fill = gib(.5);
  taken.endpoint.residue = gib(.25);
  taken.endpoint.models = {{"ltx", gib(8)}, {"name \"with\" marks", 1}};
  publish(taken);
  EXPECT_EQ(state().sample, taken);
  EXPECT_EQ(state().uuid, "GPU-A");
  publish(sample(5), "GPU-B");
  ASSERT_EQ(ledger_->states()->size(), 2U);
  EXPECT_EQ(ledger_->states()->at(1).uuid, "GPU-B");
}

TEST_P(LedgerContract, TakesSamplesInOrderOnly) {
  const Sample first = sample(7);
  const Sample second = sample(8);
  publish(second);
  EXPECT_EQ(ledger_->publish("GPU-A", first).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(ledger_->publish("GPU-A", second).failure().kind, FailureKind::kConflict);
  Sample early = sample(9);
  early.at += std::chrono::hours(1);
  EXPECT_EQ(ledger_->publish("GPU-A", early).failure().kind, FailureKind::kConflict)
      << "another clock's time";
  EXPECT_EQ(state().sample.free, gib(8));
}

TEST_P(LedgerContract, AStaleSamplePromisesNothing) {
  publish_free(23);
  EXPECT_EQ(answer(render_wish(.1)), "given");
  advance(milliseconds(2100));
  EXPECT_EQ(answer(render_wish(.1)), "stale_sample");
  EXPECT_EQ(answer(prompt_wish(1)), "stale_sample");
}

TEST_P(LedgerContract, GivesAtHeadroomAndNotBelow) {
  publish_free(10);
  EXPECT_EQ(answer(render_wish(4)), "given");
  EXPECT_EQ(answer(render_wish(5.6)), "memory");
  EXPECT_EQ(answer(render_wish(5.5)), "given") << "to the last byte";
  EXPECT_EQ(answer(render_wish(.01)), "memory");
}

TEST_P(LedgerContract, APromiseIsWhatWasWished) {
  publish_free(23);
  Wish wish = render_wish(2, "job-1/segment-3");
  wish.encoder_sessions = 1;
  const Promise promise = give(wish);
  EXPECT_GT(promise.epoch, 0);
  EXPECT_EQ(promise.gpu, "GPU-A");
  EXPECT_EQ(promise.worker_id, "worker-1");
  EXPECT_EQ(promise.task, "job-1/segment-3");
  EXPECT_EQ(promise.lane, Lane::kRender);
  EXPECT_EQ(promise.bytes, gib(2));
  EXPECT_EQ(promise.encoder_sessions, 1);
  EXPECT_EQ(promise.ends_at - promise.given_at, seconds(4));
  EXPECT_EQ(promise.expires_at - promise.given_at, seconds(15));
  ASSERT_EQ(state().promises.size(), 1U);
  EXPECT_EQ(state().promises[0], promise);
  EXPECT_GT(give(render_wish(1)).epoch, promise.epoch) << "epochs grow";
  const Promise prompt = give(prompt_wish(9));
  EXPECT_EQ(prompt.lane, Lane::kGenerate);
  EXPECT_EQ(prompt.model, "ltx");
}

TEST_P(LedgerContract, WhatIsHeldIsCountedOnce) {
  publish_free(10);
  const Promise promise = give(render_wish(6));
  Sample taken = sample(5);  // five of six are taken
  taken.held = {{promise.epoch, gib(5)}};
  publish(taken);
  EXPECT_EQ(available(state(), taken.at), gib(4));
  EXPECT_EQ(answer(render_wish(3.6)), "memory");
  EXPECT_EQ(answer(render_wish(3.5)), "given");
}

// Two processes compose on one card: each knows what its own segments hold.
TEST_P(LedgerContract, EachProcessTellsOfItsOwnPromises) {
  publish_free(10);
  const Promise ours = give(render_wish(4, "ours"));
  const Promise theirs = give(render_wish(4, "theirs"));
  Sample taken = sample(6);
  taken.held = {{ours.epoch, gib(4)}};
  publish(taken);
  taken = sample(2);
  taken.held = {{theirs.epoch, gib(4)}};
  EXPECT_FALSE(publish(taken).balance.violated);
  EXPECT_EQ(held_of(ours, state().sample), gib(4));
  EXPECT_TRUE(ledger_->release(ours));
  taken = sample(6);
  taken.held = {{theirs.epoch, gib(4)}};
  publish(taken);
  EXPECT_EQ(state().sample.held.size(), 1U);
}

TEST_P(LedgerContract, ResidentWeightsAreHeldByThePrompt) {
  Sample taken = sample(5);
  taken.endpoint.models = {{"ltx", gib(8)}};
  publish(taken);
  EXPECT_EQ(answer(prompt_wish(12.6)), "memory");
  const Promise prompt = give(prompt_wish(12.5));
  EXPECT_EQ(available(state(), taken.at), gib(.5));
  Sample later = sample(2);
  later.endpoint.models = taken.endpoint.models;
  later.endpoint.running = prompt.epoch;
  later.endpoint.working = gib(3);
  publish(later);
  EXPECT_EQ(available(state(), later.at), gib(.5)) << "what it took it had been promised";
}

TEST_P(LedgerContract, AReleaseIsSeenByTheNextSample) {
  publish_free(10);
  const Promise promise = give(render_wish(6));
  Sample during = sample(4);
  during.held = {{promise.epoch, gib(6)}};
  publish(during);
  ASSERT_TRUE(ledger_->release(promise));
  ASSERT_TRUE(ledger_->release(promise)) << "twice does no more than once";
  EXPECT_EQ(answer(render_wish(4)), "memory") << "no sample shows the memory";
  EXPECT_EQ(answer(render_wish(3.5)), "given");
  publish_free(10);
  EXPECT_EQ(answer(render_wish(6)), "given");
}

TEST_P(LedgerContract, OneYoungerThanTheSampleIsTakenWhole) {
  publish_free(10);
  const Promise promise = give(render_wish(6));
  ASSERT_TRUE(ledger_->release(promise));
  EXPECT_EQ(answer(render_wish(4)), "memory") << "who knows what it took meanwhile";
}

TEST_P(LedgerContract, AnEndpointHasOnePrompt) {
  publish_free(23);
  const Promise prompt = give(prompt_wish(4, "a"));
  EXPECT_EQ(answer(prompt_wish(4, "b")), "endpoint_taken");
  EXPECT_EQ(answer(render_wish(1)), "given") << "segments go on beside it";
  ASSERT_TRUE(ledger_->release(prompt));
  EXPECT_EQ(answer(prompt_wish(4, "b")), "endpoint_taken") << "its end is not measured yet";
  publish_free(23);
  EXPECT_EQ(answer(prompt_wish(4, "b")), "given");
}

TEST_P(LedgerContract, SlotsAndEncoderSessionsAreLimits) {
  Sample taken = sample();
  taken.encoder_sessions_max = 2;
  publish(taken);
  Wish wish = render_wish(.1);
  wish.encoder_sessions = 1;
  const Promise first = give(wish);
  give(wish);
  EXPECT_EQ(answer(wish), "encoder_sessions");
  wish.encoder_sessions = 0;
  give(wish);
  give(wish);
  EXPECT_EQ(answer(wish), "slots");
  Wish of_another = wish;
  of_another.worker_id = "worker-2";
  EXPECT_EQ(answer(of_another), "given") << "each worker has its own";
  Wish of_more_threads = wish;
  of_more_threads.segments_max = 5;
  EXPECT_EQ(answer(of_more_threads), "given");
  ASSERT_TRUE(ledger_->release(first));
  EXPECT_EQ(answer(wish), "slots") << "four are left";
  of_more_threads.bytes = gib(60);
  EXPECT_EQ(answer(of_more_threads), "memory") << "the card is guarded by bytes";
}

TEST_P(LedgerContract, LeasesRunOutUnlessRenewed) {
  publish_free(10);
  const Promise kept = give(render_wish(2, "kept"));
  const Promise lost = give(render_wish(3, "lost"));
  for (int i = 0; i < 3; ++i) {
    advance(milliseconds(6000));
    EXPECT_TRUE(ledger_->renew({kept})->empty());
  }
  publish_free(10);
  const std::vector<Promise> gone = ledger_->renew({kept, lost}).value();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].epoch, lost.epoch);
  EXPECT_EQ(available(state(), state().sample.at), gib(8));
  const std::vector<Promise> expired = ledger_->expire().value();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].task, "lost");
  EXPECT_TRUE(ledger_->expire()->empty()) << "once each";
  EXPECT_EQ(ledger_->resize(lost, 1).failure().kind, FailureKind::kConflict) << "fenced";
  ASSERT_TRUE(ledger_->release(lost));
}

TEST_P(LedgerContract, ThePromiseOfTheDeadCountsUntilItsLeaseEndsAndASampleIsYounger) {
  publish_free(10);
  give(render_wish(6));  // its process dies: it holds nothing any more and says nothing
  advance(milliseconds(5000));
  publish_free(10);
  EXPECT_EQ(answer(render_wish(4)), "memory") << "the whole promise";
  advance(milliseconds(9000));
  publish_free(10);
  advance(milliseconds(1100));  // the lease has ended, the sample is older than that
  EXPECT_EQ(answer(render_wish(4)), "memory");
  publish_free(10);
  EXPECT_EQ(answer(render_wish(4)), "given");
}

TEST_P(LedgerContract, APromiseGrowsWithinWhatIsThere) {
  publish_free(10);
  const Promise promise = give(render_wish(6));
  EXPECT_EQ(*ledger_->resize(promise, gib(9.6)), Refusal::kMemory);
  EXPECT_EQ(*ledger_->resize(promise, gib(9.5)), std::nullopt);
  EXPECT_EQ(state().promises[0].bytes, gib(9.5));
  EXPECT_EQ(answer(render_wish(1)), "memory");
  EXPECT_EQ(*ledger_->resize(promise, gib(2)), std::nullopt);
  EXPECT_EQ(answer(render_wish(7)), "given");
  advance(milliseconds(3000));
  EXPECT_EQ(*ledger_->resize(promise, gib(3)), Refusal::kStaleSample);
}

TEST_P(LedgerContract, APromiseOfTheWholeCardIsAloneAndCantBeOverdrawn) {
  publish_free(10);
  const Promise first = give(render_wish(1));
  Wish whole = prompt_wish(1);
  whole.bytes = sample().total;
  EXPECT_EQ(answer(whole), "memory") << "there is another promise";
  ASSERT_TRUE(ledger_->release(first));
  advance(milliseconds(100));
  publish_free(10);
  const Promise promise = give(whole);
  EXPECT_EQ(answer(render_wish(.1)), "memory");
  advance(milliseconds(100));
  publish_free(20);  // a stranger gave memory back
  EXPECT_EQ(answer(render_wish(.1)), "memory");
  EXPECT_EQ(available(state(), state().sample.at), 0);
  EXPECT_FALSE(balance_of(state(), {}, state().sample.at).violated);
  ASSERT_TRUE(ledger_->release(promise));
  advance(milliseconds(100));
  publish_free(20);
  EXPECT_EQ(answer(render_wish(.1)), "given");
}

TEST_P(LedgerContract, OneReservationAGpuAndATask) {
  publish_free(23);
  publish(sample(), "GPU-B");
  ASSERT_TRUE(ledger_->reserve("GPU-A", "big", gib(20), seconds(15)));
  EXPECT_EQ(state().reservation->task, "big");
  EXPECT_EQ(state().reservation->bytes, gib(20));
  EXPECT_EQ(ledger_->reserve("GPU-A", "other", 1, seconds(15)).failure().kind,
            FailureKind::kConflict);
  EXPECT_EQ(ledger_->reserve("GPU-B", "big", 1, seconds(15)).failure().kind,
            FailureKind::kConflict);
  EXPECT_EQ(ledger_->reserve("GPU-C", "x", 1, seconds(15)).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(answer(prompt_wish(4, "other")), "reserved");
  EXPECT_EQ(answer(render_wish(1)), "given") << "backfilling is the controller's judgement";
  EXPECT_EQ(answer(prompt_wish(4, "big")), "given");
  EXPECT_FALSE(state().reservation) << "it started";
}

TEST_P(LedgerContract, AReservationEndsWithItsTaskOrItsTime) {
  publish_free(23);
  publish(sample(), "GPU-B");
  ASSERT_TRUE(ledger_->reserve("GPU-A", "big", gib(20), seconds(15)));
  ASSERT_TRUE(ledger_->unreserve("big"));
  ASSERT_TRUE(ledger_->unreserve("nobody"));
  EXPECT_FALSE(state().reservation);
  ASSERT_TRUE(ledger_->reserve("GPU-B", "big", gib(20), seconds(15)));
  advance(milliseconds(15'100));
  ASSERT_TRUE(ledger_->reserve("GPU-A", "big", gib(20), seconds(15))) << "elsewhere, anew";
  ASSERT_TRUE(ledger_->reserve("GPU-B", "other", gib(1), seconds(15)));
}

TEST_P(LedgerContract, RoomIsMadeByOneAtATime) {
  EXPECT_EQ(ledger_->begin_room("GPU-A", "g", seconds(20)).failure().kind, FailureKind::kNotFound);
  publish_free(3);
  ASSERT_TRUE(ledger_->begin_room("GPU-A", "g", seconds(20)));
  EXPECT_FALSE(state().room->finished);
  EXPECT_EQ(state().room->task, "g");
  ASSERT_TRUE(ledger_->end_room("GPU-A"));
  EXPECT_TRUE(state().room->finished);
  advance(milliseconds(19'000));
  EXPECT_EQ(ledger_->begin_room("GPU-A", "h", seconds(20)).failure().kind, FailureKind::kConflict);
  advance(milliseconds(1100));
  EXPECT_TRUE(ledger_->begin_room("GPU-A", "h", seconds(20)));
}

TEST_P(LedgerContract, NoRoomIsMadeUnderAPrompt) {
  publish_free(20);
  const Promise prompt = give(prompt_wish(4));
  EXPECT_EQ(ledger_->begin_room("GPU-A", "g", seconds(20)).failure().kind, FailureKind::kConflict);
  ASSERT_TRUE(ledger_->release(prompt));
  EXPECT_TRUE(ledger_->begin_room("GPU-A", "g", seconds(20)));
}

TEST_P(LedgerContract, AViolationIsToldOnceWithItsCause) {
  publish_free(10);
  const Promise promise = give(render_wish(6));
  EXPECT_TRUE(publish(sample(6.2)).headroom_use_began) << "not below zero";
  EXPECT_FALSE(publish(sample(6.2)).headroom_use_began);
  Published published = publish(sample(5));
  EXPECT_TRUE(published.violation_began);
  EXPECT_EQ(published.balance.slack, -gib(1));
  EXPECT_EQ(published.balance.cause, ViolationCause::kOurs) << "nobody else took anything";
  published = publish(sample(4));
  EXPECT_TRUE(published.balance.violated);
  EXPECT_FALSE(published.violation_began) << "it goes on";
  EXPECT_FALSE(publish(sample(10)).balance.violated);
  Sample foreign = sample(5);
  foreign.foreign = gib(5);
  published = publish(foreign);
  EXPECT_TRUE(published.violation_began);
  EXPECT_EQ(published.balance.cause, ViolationCause::kForeign);
  ASSERT_TRUE(ledger_->release(promise));
  EXPECT_FALSE(publish(sample(5)).balance.violated);
}

TEST_P(LedgerContract, ForeignersAreJudgedAgainstTheLastPromise) {
  Sample taken = sample(10);
  taken.foreign = gib(5);
  publish(taken);
  give(render_wish(6));
  Sample later = sample(5.5);  // they took a half more, the other four are not theirs
  later.foreign = gib(5.4);
  EXPECT_EQ(publish(later).balance.cause, ViolationCause::kOurs);
  Sample again = sample(5.5);
  again.foreign = gib(5.5);
  EXPECT_EQ(publish(again).balance.cause, ViolationCause::kForeign);
}

// Whoever decides on the same row at the same time: together they get what one would have got.
TEST_P(LedgerContract, ManyAtOnceGetNoMoreThanOne) {
  publish_free(10);
  std::atomic<int> given = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, &given, i] {
      for (int k = 0; k < 5; ++k) {
        Result<Granted> granted = ledger_->promise(render_wish(3, std::to_string(i * 5 + k)));
        if (granted && std::holds_alternative<Promise>(*granted)) ++given;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(given, 3) << "three times 3 and .5 of headroom of 10";
  EXPECT_EQ(state().promises.size(), 3U);
  std::vector<std::int64_t> epochs;
  for (const Promise& promise : state().promises) epochs.push_back(promise.epoch);
  std::sort(epochs.begin(), epochs.end());
  EXPECT_EQ(std::unique(epochs.begin(), epochs.end()), epochs.end());
}

}  // namespace pytoon::jobs::admission
