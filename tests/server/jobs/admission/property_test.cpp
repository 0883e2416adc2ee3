// Properties of controller and ledger over random lives of a card, by seed.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/jobs/admission/random_card.h"

namespace pytoon::jobs::admission {
namespace {

constexpr unsigned kSeeds = 200;
const Bytes kHeadroom = LedgerOptions{}.headroom;

void furnish(RandomCard& card) {
  for (int i = card.below(3); i > 0; --i) {
    card.make_resident("m" + std::to_string(i), gib(card.size(1, 6)));
  }
  card.publish();
}

TEST(Property, AfterEachGiveOfAnExactSampleTheHeadroomIsThere) {
  int gives = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    for (int step = 0; step < 120; ++step) {
      card.happen(true);
      card.publish();
      card.renew();
      if (!card.ask(card.random_request(), card.state())) continue;
      ++gives;
      ASSERT_GE(card.slack(), kHeadroom) << "seed " << seed << " step " << step;
    }
  }
  EXPECT_GT(gives, 2000) << "the test must give something";
}

// Everybody keeps to what was promised and no stranger comes: the invariant holds at every instant,
// however old the sample that promised.
TEST(Property, BetweenSamplesTheInvariantHolds) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    for (int step = 0; step < 150; ++step) {
      card.happen(false);
      card.renew();
      if (card.below(3) == 0) card.publish();
      card.ask(card.random_request(), card.state());
      ASSERT_GE(card.slack(), kHeadroom) << "seed " << seed << " step " << step;
    }
  }
}

TEST(Property, ADeathNeverMakesMoreAvailableBeforeASampleOrItsLeasesEnd) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    for (int step = 0; step < 60; ++step) {
      card.happen(false);
      card.publish();
      card.renew();
      card.ask(card.random_request(), card.state());
      if (card.live().empty()) continue;
      const Bytes before = available(card.state(), card.now());
      const std::size_t victim = card.live().size() - 1;
      const Promise dead = card.live()[victim];
      card.end(victim, false);
      ASSERT_LE(available(card.state(), card.now()), before) << "before the next sample";
      card.publish();
      const Bytes counted = available(card.state(), card.now());
      ASSERT_LE(counted, card.free()) << "seed " << seed;
      ASSERT_LE(
          counted,
          std::max(before,
                   card.free() - std::max(Bytes{0}, dead.bytes - resident_bytes(card.state().sample,
                                                                                dead.model))));
    }
  }
}

TEST(Property, TwoReplicasThatSawTheSameGetNoMoreThanTheCardHas) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    for (int step = 0; step < 60; ++step) {
      card.happen(false);
      card.publish();
      card.renew();
      const GpuState seen = card.state();  // both read, then both ask
      const Request request = card.random_request();
      Request twin = request;
      twin.task += "-twin";
      const Bytes room = available(seen, card.now()) - kHeadroom;
      Bytes given = 0;
      for (const Request& one : {request, twin}) {
        if (!card.ask(one, seen)) continue;
        const Promise& promise = card.live().back();
        given += growth_of(promise.lane, promise.model, promise.bytes, seen.sample);
      }
      ASSERT_LE(given, std::max(Bytes{0}, room)) << "seed " << seed << " step " << step;
      ASSERT_GE(card.slack(), kHeadroom);
    }
  }
}

TEST(Property, TheOrderInWhichThingsAreListedDecidesNothing) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    std::mt19937 random(seed);
    for (int step = 0; step < 30; ++step) {
      card.happen(true);
      card.publish();
      card.renew();
      std::vector<Request> heads;
      for (int i = 0; i < 6; ++i) {
        Request request = card.random_request();
        if (request.lane != Lane::kGenerate) continue;
        request.waiting_since = card.now() - seconds(card.below(200));
        heads.push_back(request);
      }
      GpuState state = card.state();
      const auto told = [&] {
        const EndpointDecision chosen =
            decide_generation(state, heads, one_size(state), {}, card.now());
        return (chosen.head < heads.size() ? heads[chosen.head].task : "") + " " +
               std::string(name_of(chosen.decision.kind)) + " " + sentence(chosen.decision);
      };
      const std::string first = told();
      std::shuffle(heads.begin(), heads.end(), random);
      std::shuffle(state.promises.begin(), state.promises.end(), random);
      std::shuffle(state.sample.held.begin(), state.sample.held.end(), random);
      std::reverse(state.sample.endpoint.models.begin(), state.sample.endpoint.models.end());
      ASSERT_EQ(told(), first) << "seed " << seed << " step " << step;
      card.ask(card.random_request(), card.state());
    }
  }
}

// Old or missing samples never run anything and never free anything.
TEST(Property, WithoutAFreshSampleNothingHappens) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    RandomCard card(seed);
    furnish(card);
    for (int step = 0; step < 30; ++step) {
      card.happen(true);
      card.publish();
      card.renew();
      const GpuState state = card.state();
      card.pass(2.01);
      const Request request = card.random_request();
      const Decision decision =
          request.lane == Lane::kRender
              ? decide_render(state, request, {}, card.now())
              : decide_generation(state, {&request, 1}, one_size(state), {}, card.now()).decision;
      ASSERT_EQ(decision.kind, Decision::Kind::kWait);
      ASSERT_GT(decision.until, card.now()) << "an event to come";
      ASSERT_FALSE(card.ask(request, state));
    }
  }
}

}  // namespace
}  // namespace pytoon::jobs::admission
