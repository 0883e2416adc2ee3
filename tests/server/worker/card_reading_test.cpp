// The encoder sessions of a card's sample: how many are open, whose they are, how many may be.
#include <gtest/gtest.h>

#include "server/jobs/admission/ledger_rules.h"
#include "server/worker/gpu_admission.h"

namespace pytoon::worker {

using jobs::admission::GpuState;
using jobs::admission::kGiB;
using jobs::admission::Promise;
using jobs::admission::Refusal;
using jobs::admission::Sample;
using jobs::admission::Wish;

namespace {

const WallTime kAt{std::chrono::hours(500'000)};

CardReading reading(const std::string& name, std::optional<int> sessions) {
  CardReading made;
  made.driver.uuid = "GPU-1";
  made.driver.name = name;
  made.driver.total_bytes = made.driver.free_bytes = std::uint64_t{24} << 30;
  made.driver.encoder_sessions = sessions;
  return made;
}

void promise(GpuState& card, int sessions) {
  Promise given;
  given.epoch = static_cast<std::int64_t>(card.promises.size()) + 1;
  given.encoder_sessions = sessions;
  given.expires_at = kAt + std::chrono::seconds(15);
  card.promises.push_back(given);
}

// Why a segment that opens so many sessions may not start on a card like that.
std::optional<Refusal> refused(GpuState card, const CardReading& seen, int sessions) {
  card.sample = sample_of(seen, card, kAt);
  Wish wish;
  wish.bytes = kGiB;
  wish.segments_max = 4;
  wish.encoder_sessions = sessions;
  return refusal_of(card, wish, {}, kAt);
}

}  // namespace

TEST(CardReading, TellsTheSessionsOfAllPrograms) {
  const Sample sample = sample_of(reading("NVIDIA L4", 3), {}, kAt);
  EXPECT_EQ(sample.name, "NVIDIA L4");
  EXPECT_EQ(sample.encoder_sessions, 3);
  EXPECT_EQ(sample.encoder_sessions_foreign, 3);
  EXPECT_EQ(sample_of(reading("NVIDIA L4", {}), {}, kAt).encoder_sessions, -1);
}

TEST(CardReading, WhatWePromisedIsNotOthers) {
  GpuState before;
  promise(before, 2);
  EXPECT_EQ(sample_of(reading("a", 3), before, kAt).encoder_sessions_foreign, 1);
  // Promised, and not opened yet.
  EXPECT_EQ(sample_of(reading("a", 1), before, kAt).encoder_sessions_foreign, 0);
  // Over, and measured since: whatever is open is not ours.
  before.promises[0].released_at = kAt - std::chrono::seconds(2);
  before.sample.at = kAt - std::chrono::seconds(1);
  EXPECT_EQ(sample_of(reading("a", 3), before, kAt).encoder_sessions_foreign, 3);
}

TEST(CardReading, GeForceCardsAreHeldToTheirLimit) {
  CardReading seen = reading("NVIDIA GeForce RTX 4090", 6);
  EXPECT_EQ(sample_of(seen, {}, kAt).encoder_sessions_max, 8);
  EXPECT_EQ(refused({}, seen, 2), std::nullopt);
  EXPECT_EQ(refused({}, seen, 3), Refusal::kEncoderSessions);
  GpuState card;
  promise(card, 2);
  seen.driver.encoder_sessions = 8;  // two of them ours
  EXPECT_EQ(refused(card, seen, 1), Refusal::kEncoderSessions);
  seen.driver.encoder_sessions = 7;
  EXPECT_EQ(refused(card, seen, 1), std::nullopt);
}

TEST(CardReading, OthersHaveNoLimitButTheOperators) {
  CardReading seen = reading("NVIDIA L4", 20);
  EXPECT_EQ(sample_of(seen, {}, kAt).encoder_sessions_max, -1);
  EXPECT_EQ(refused({}, seen, 4), std::nullopt);
  seen.sessions_max = 21;
  EXPECT_EQ(sample_of(seen, {}, kAt).encoder_sessions_max, 21);
  EXPECT_EQ(refused({}, seen, 4), Refusal::kEncoderSessions);
  seen = reading("NVIDIA GeForce RTX 4090", 0);
  seen.sessions_max = 21;
  EXPECT_EQ(sample_of(seen, {}, kAt).encoder_sessions_max, 8);
  seen.sessions_max = 3;
  EXPECT_EQ(sample_of(seen, {}, kAt).encoder_sessions_max, 3);
}

}  // namespace pytoon::worker
