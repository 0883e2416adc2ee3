// The judgements of the checks that run on a real card (benchmarks/gpu/card): that they would see
// what they are there to see.
#include <gtest/gtest.h>

#include "benchmarks/gpu/card/card_watch.h"
#include "benchmarks/gpu/card/segment_costs.h"

namespace pytoon::bench {
namespace {

using jobs::admission::kGiB;
using jobs::admission::kMiB;

Look look_with(jobs::admission::Bytes free, jobs::admission::Bytes promised,
               jobs::admission::Bytes held) {
  Look look;
  look.free = free;
  look.promised = promised;
  look.held = held;
  return look;
}

TEST(CardWatchTest, WhatIsPromisedAndNotHeldMustBeFree) {
  EXPECT_EQ(verdict_of(look_with(2 * kGiB, kGiB, 0)), Verdict::kHolds);
  EXPECT_EQ(verdict_of(look_with(1200 * kMiB, kGiB, 0)), Verdict::kHeadroomUsed);
  EXPECT_EQ(verdict_of(look_with(1000 * kMiB, kGiB, 0)), Verdict::kOurs);
  EXPECT_EQ(verdict_of(look_with(1000 * kMiB, kGiB, 900 * kMiB)), Verdict::kHolds);
}

TEST(CardWatchTest, MoreHeldThanPromisedIsNoCredit) {
  EXPECT_EQ(verdict_of(look_with(100 * kMiB, kGiB, 3 * kGiB)), Verdict::kHeadroomUsed);
}

TEST(CardWatchTest, OnlyWhatOthersTookSinceTheLastPromiseIsTheirs) {
  Look look = look_with(800 * kMiB, kGiB, 0);
  look.foreign_before = 10 * kGiB;
  look.foreign = look.foreign_before + 100 * kMiB;
  EXPECT_EQ(verdict_of(look), Verdict::kOurs);
  look.foreign = look.foreign_before + 300 * kMiB;
  EXPECT_EQ(verdict_of(look), Verdict::kForeign);
}

SegmentFigures good_figures() { return {"hero", false, 1, 100, 100, 200, 150}; }

TEST(SegmentFiguresTest, APoolToldTooLowIsAFault) {
  EXPECT_EQ(fault_of(good_figures()), "");
  SegmentFigures figures = good_figures();
  figures.pool_taken = 101;
  EXPECT_EQ(fault_of(figures), "hero: the pool took 101 bytes, told were 100");
}

TEST(SegmentFiguresTest, OneToldMuchTooHighIsAFaultWhereItCanBeExact) {
  SegmentFigures figures = good_figures();
  figures.pool_taken = 90;
  EXPECT_NE(fault_of(figures), "");
  figures.compositors = 4;  // whose peaks need not come at the same time
  EXPECT_EQ(fault_of(figures), "");
}

TEST(SegmentFiguresTest, ACardThatHadLessThanToldIsAFault) {
  SegmentFigures figures = good_figures();
  figures.of_clip = true;
  figures.vram_taken = 201;
  EXPECT_EQ(fault_of(figures), "hero with a clip: the card had 201 bytes less, told were 200");
}

}  // namespace
}  // namespace pytoon::bench
