// What a workflow's profile learns, and what it must not.
#include "server/jobs/admission/profile.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/server/jobs/admission/admission_samples.h"

namespace pytoon::jobs::admission {
namespace {

constexpr Bytes kLargest = Bytes{80} << 30;

Profile prior() {
  Profile profile;
  profile.model = "wan";
  profile.weights = gib(10);
  profile.prior_full = gib(8);
  profile.prior_tiled = gib(4);
  return profile;
}

Observation took(double working_gib, Shape shape = Shape::kTiled, bool censored = false) {
  Observation observation;
  observation.shape = shape;
  observation.working = gib(working_gib);
  observation.censored = censored;
  return observation;
}

Profile after(int runs, double working_gib) {
  Profile profile = prior();
  for (int i = 0; i < runs; ++i) profile = learned(profile, took(working_gib), {});
  return profile;
}

double gib_of(Bytes bytes) { return static_cast<double>(bytes) / static_cast<double>(kGiB); }

TEST(Profile, StartsWithTheFileAndAMargin) {
  const Demand demand = demand_of(prior(), kLargest, {});
  EXPECT_TRUE(demand.first_run);
  EXPECT_NEAR(gib_of(demand.peak[0]), 10 + 1.3 * 8, 1e-6);
  EXPECT_NEAR(gib_of(demand.peak[1]), 10 + 1.3 * 4, 1e-6);
  EXPECT_NEAR(gib_of(demand.peak[2]), 6 + 1.3 * 4, 1e-6);
  EXPECT_EQ(demand.structural, gib(14));
}

TEST(Profile, ComesDownWithRunsAndKeepsAMargin) {
  EXPECT_NEAR(factor_of(after(1, 4), {}), std::exp(3 * .12), 1e-9) << "one run says little";
  EXPECT_NEAR(factor_of(after(100, 4), {}), std::exp(3 * .012), 1e-9);
  EXPECT_NEAR(factor_of(after(400, 4), {}), 1.03, 1e-9) << "never below the maximum and 3 %";
}

TEST(Profile, ALieIsCorrectedByOneRun) {
  const Profile profile = after(1, 8);  // twice what the file says
  EXPECT_GE(demand_of(profile, kLargest, {}).peak[1], gib(18));
  EXPECT_FALSE(demand_of(profile, kLargest, {}).first_run);
  EXPECT_GE(demand_of(profile, kLargest, {}).peak[0], gib(26)) << "all shapes learn from one";
}

TEST(Profile, AMaximumIsForgottenSlowly) {
  Profile profile = after(50, 4);
  profile = learned(profile, took(8), {});
  const double peak = factor_of(profile, {});
  EXPECT_GE(peak, 2.06);
  for (int i = 0; i < 20; ++i) profile = learned(profile, took(4), {});
  EXPECT_GT(factor_of(profile, {}), 1.5);
  for (int i = 0; i < 400; ++i) profile = learned(profile, took(4), {});
  EXPECT_LT(factor_of(profile, {}), 1.05);
}

TEST(Profile, ACensoredRunNeverLowersTheEstimate) {
  for (const int runs : {0, 1, 7, 60}) {
    for (const double seen : {.01, 1.0, 3.9, 4.1, 12.0}) {
      const Profile before = after(runs, 4.2);
      const Profile now = learned(before, took(seen, Shape::kTiled, true), {});
      // The run itself narrows the spread; what is known of the maximum must not shrink.
      EXPECT_GE(now.log_maximum, runs == 0 ? std::log(1.3) - 1e-12 : before.log_maximum - 1e-12);
      EXPECT_GE(now.log_mean, before.log_mean - 1e-12) << runs << " runs, saw " << seen;
      EXPECT_GE(std::exp(now.log_maximum), 1.25 * seen / 4 - 1e-9);
    }
  }
}

TEST(Profile, NothingIsLearnedFromTheTotalOfADynamicEndpoint) {
  Observation filled = took(60);
  filled.of_device_total = true;
  filled.dynamic_vram = true;
  EXPECT_EQ(learned(prior(), filled, {}).runs, 0);
  filled.of_device_total = false;
  EXPECT_EQ(learned(prior(), filled, {}).runs, 1) << "its own pool's figure is another matter";
}

TEST(Profile, AsksForAWholeCardAtMost) {
  const Profile profile = after(1, 400);
  EXPECT_EQ(demand_of(profile, gib(22), {}).peak[1], gib(22)) << "alone on the largest card";
  EXPECT_GT(demand_of(profile, gib(13.9), {}).peak[1], gib(13.9))
      << "whose weights and prior fit nowhere is not helped by a cap";
}

TEST(Profile, AWorkflowWithoutAPriorLearnsNothing) {
  Profile profile = prior();
  profile.prior_tiled = 0;
  EXPECT_EQ(learned(profile, took(4), {}).runs, 0);
}

}  // namespace
}  // namespace pytoon::jobs::admission
