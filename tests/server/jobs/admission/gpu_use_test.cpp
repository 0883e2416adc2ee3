#include "server/jobs/admission/gpu_use.h"

#include <gtest/gtest.h>

#include "tests/server/jobs/admission/admission_samples.h"

namespace pytoon::jobs::admission {

TEST(GpuUse, SaysWhoseTheMemoryIs) {
  GpuState card = idle_card();
  take_foreign(card, 2);
  promise_segment(card, 1, 0.25);
  load(card, "ltx", 8);
  Promise& prompt = promise_prompt(card, "ltx", 13);
  card.sample.endpoint.running = prompt.epoch;
  card.sample.endpoint.working = gib(3);
  card.sample.endpoint.fill = gib(.5);
  card.sample.endpoint.residue = gib(.25);
  card.sample.encoder_sessions = 3;
  card.sample.encoder_sessions_max = 8;
  const GpuUse use = use_of(card, {}, kNow);
  EXPECT_EQ(use.gpu, "GPU-A");
  EXPECT_EQ(use.total, gib(24));
  EXPECT_EQ(use.free, card.sample.free);
  EXPECT_EQ(use.promised, gib(14));
  EXPECT_EQ(use.held, gib(.25 + 8 + 3 + .5));
  EXPECT_EQ(use.foreign, gib(2));
  EXPECT_EQ(use.comfyui, gib(8 + 3 + .5 + .25));
  EXPECT_EQ(use.headroom, gib(.5));
  EXPECT_EQ(use.sessions_used, 3);
  EXPECT_EQ(use.sessions_allowed, 8);
}

TEST(GpuUse, WhatIsBeyondAPromiseIsNotHeldOfIt) {
  GpuState card = idle_card();
  load(card, "ltx", 8);
  promise_prompt(card, "ltx", 5);
  EXPECT_EQ(use_of(card, {}, kNow).held, gib(5));
}

TEST(GpuUse, AnEndedPromiseCountsUntilASampleShowsItsMemory) {
  GpuState card = idle_card();
  promise_segment(card, 1).released_at = kNow + seconds(1);
  EXPECT_EQ(use_of(card, {}, kNow + seconds(1)).promised, gib(1));
  card.sample.at = kNow + seconds(2);
  EXPECT_EQ(use_of(card, {}, kNow + seconds(2)).promised, 0);
}

TEST(GpuUse, WhatTheDriverDoesNotTellIsNone) {
  const GpuUse use = use_of(idle_card(), {}, kNow);
  EXPECT_FALSE(use.sessions_used);
  EXPECT_FALSE(use.sessions_allowed);
}

}  // namespace pytoon::jobs::admission
