// Many short lives of a fleet. PYTOON_SIM_RUNS and PYTOON_SIM_SEED choose how many and which; a run
// that went wrong names the seed that repeats it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/simulation.h"

namespace pytoon::sim {
namespace {

constexpr int kActs = 400;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Sim, NothingIsLostDoubledOrTornUnderAnySeed) {
  const std::uint64_t first = number_from("PYTOON_SIM_SEED", 1);
  const std::uint64_t runs = number_from("PYTOON_SIM_RUNS", 60);
  Report sum;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const Report report = Simulation(seed, Mutation::kNone).run(kActs);
    sum.submissions += report.submissions;
    sum.jobs += report.jobs;
    sum.done += report.done;
    sum.cards += report.cards;
    sum.deaths += report.deaths;
    sum.zombies += report.zombies;
    sum.lost_answers += report.lost_answers;
    sum.refusals += report.refusals;
    sum.deleted += report.deleted;
    sum.messages += report.messages;
    sum.arrivals += report.arrivals;
    for (const std::string& what : report.violations) {
      ADD_FAILURE() << "PYTOON_SIM_SEED=" << seed << " PYTOON_SIM_RUNS=1: " << what;
    }
    if (HasFailure()) return;
  }
  std::cout << "sim: " << runs << " runs from seed " << first << ": " << sum.jobs << " jobs of "
            << sum.submissions << " submissions, " << sum.done << " done (" << sum.cards
            << " as cards), " << sum.deaths << " deaths, " << sum.zombies << " zombies, "
            << sum.lost_answers << " lost answers, " << sum.refusals << " refusals, " << sum.deleted
            << " objects collected, " << sum.messages << " webhooks told in " << sum.arrivals
            << " messages\n";
  // It was a hard time.
  EXPECT_GT(sum.deaths, static_cast<int>(runs));
  EXPECT_GT(sum.zombies, static_cast<int>(runs));
  EXPECT_GT(sum.deleted, static_cast<int>(runs));
  EXPECT_GT(sum.messages, static_cast<int>(runs));
  EXPECT_GT(sum.arrivals, sum.messages);
}

bool goes_red(Mutation mutation) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    if (!Simulation(seed, mutation).run(kActs).violations.empty()) return true;
  }
  return false;
}

TEST(Sim, GoesRedWithoutFencing) { EXPECT_TRUE(goes_red(Mutation::kNoFencing)); }

TEST(Sim, GoesRedWithoutIdempotencyKeys) { EXPECT_TRUE(goes_red(Mutation::kForgetsAnswers)); }

TEST(Sim, GoesRedWithoutTheOutbox) { EXPECT_TRUE(goes_red(Mutation::kNoOutbox)); }

TEST(Sim, AStoreInTroubleCostsNoAttempt) {
  int faults = 0;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const Report report = Simulation(seed, Mutation::kNone, FaultSource::kStore).run(kActs);
    faults += report.refusals + report.lost_answers;
    for (const std::string& what : report.violations)
      ADD_FAILURE() << "seed " << seed << ": " << what;
  }
  EXPECT_GT(faults, 50);
}

TEST(Sim, TheSameSeedGivesTheSameRun) {
  const Report one = Simulation(7, Mutation::kNone).run(kActs);
  const Report two = Simulation(7, Mutation::kNone).run(kActs);
  EXPECT_EQ(one.submissions, two.submissions);
  EXPECT_EQ(one.deaths, two.deaths);
  EXPECT_EQ(one.done, two.done);
  EXPECT_EQ(one.lost_answers, two.lost_answers);
}

}  // namespace
}  // namespace pytoon::sim
