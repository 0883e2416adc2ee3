// Every branch of decide_render, decide_spill and decide_compositor, one row each; sentences.
#include <gtest/gtest.h>

#include <functional>

#include "tests/server/jobs/admission/admission_samples.h"

namespace pytoon::jobs::admission {
namespace {

using Kind = Decision::Kind;

struct Row {
  std::string name;
  std::function<void(GpuState&, Request&)> given;
  Kind kind;
  Reason reason;
  double until_s = -1;  // of a wait
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Render : public testing::TestWithParam<Row> {};

TEST_P(Render, IsDecided) {
  GpuState state = idle_card();
  Request request = segment();
  GetParam().given(state, request);
  const Decision decision = decide_render(state, request, {}, kNow);
  EXPECT_EQ(name_of(decision.kind), name_of(GetParam().kind));
  EXPECT_EQ(name_of(decision.reason), name_of(GetParam().reason));
  if (decision.kind == Kind::kRun) {
    EXPECT_EQ(decision.promise, request.cost.total());
  }
  if (decision.kind == Kind::kElsewhere) {
    EXPECT_EQ(decision.lane, Lane::kCpu);
  }
  if (GetParam().until_s >= 0) {
    EXPECT_EQ(decision.until, kNow + seconds(GetParam().until_s));
  }
}

// 23 GiB, 20 promised to a reserved prompt of which 15 lie there as another model's weights.
void reserved(GpuState& state, double free_gib) {
  load(state, "ltx", 15);
  take_foreign(state, 8 - free_gib);
  state.reservation = Reservation{"big", gib(20), kNow + seconds(12)};
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Render,
    testing::Values(
        Row{"fits", [](GpuState&, Request&) {}, Kind::kRun, Reason::kFits},
        Row{"fits_to_the_last_byte", [](GpuState& s, Request&) { take_foreign(s, 22); }, Kind::kRun,
            Reason::kFits},
        Row{"one_byte_too_much",
            [](GpuState& s, Request&) {
              take_foreign(s, 22);
              --s.sample.free;
            },
            Kind::kWait, Reason::kVramExhausted, .25},
        Row{"waits_for_a_segment_to_end",
            [](GpuState& s, Request&) {
              take_foreign(s, 20);
              promise_segment(s, 2.5, 0, 3);
            },
            Kind::kWait, Reason::kVramExhausted, 3},
        Row{"what_is_held_is_not_counted_twice",
            [](GpuState& s, Request&) { promise_segment(s, 22, 22); }, Kind::kRun, Reason::kFits},
        Row{"what_is_promised_and_not_held_is_taken",
            [](GpuState& s, Request&) { promise_segment(s, 22.1, 11); }, Kind::kWait,
            Reason::kVramExhausted, 5},
        Row{"stale", [](GpuState& s, Request&) { s.sample.at -= seconds(3); }, Kind::kWait,
            Reason::kStaleSample, .001},
        Row{"slots",
            [](GpuState& s, Request&) {
              for (int i = 0; i < 4; ++i) promise_segment(s, .1, 0, 2 + i);
            },
            Kind::kWait, Reason::kSlots, 2},
        Row{"segments_of_another_worker",
            [](GpuState& s, Request&) {
              for (int i = 0; i < 4; ++i) promise_segment(s, .1).worker_id = "worker-2";
            },
            Kind::kRun, Reason::kFits},
        Row{"a_worker_of_more_threads",
            [](GpuState& s, Request& r) {
              for (int i = 0; i < 8; ++i) promise_segment(s, .1);
              r.segments_max = 9;
            },
            Kind::kRun, Reason::kFits},
        Row{"a_prompt_takes_no_slot",
            [](GpuState& s, Request&) {
              for (int i = 0; i < 3; ++i) promise_segment(s, .1);
              promise_prompt(s, "ltx", 5);
            },
            Kind::kRun, Reason::kFits},
        Row{"encoder_sessions",
            [](GpuState& s, Request& r) {
              s.sample.encoder_sessions_max = 3;
              s.sample.encoder_sessions_foreign = 1;
              promise_segment(s, .1).encoder_sessions = 1;
              r.cost.encoder_sessions = 2;
            },
            Kind::kWait, Reason::kEncoderSessions, 5},
        Row{"encoder_sessions_to_the_last",
            [](GpuState& s, Request& r) {
              s.sample.encoder_sessions_max = 3;
              s.sample.encoder_sessions_foreign = 1;
              promise_segment(s, .1).encoder_sessions = 1;
              r.cost.encoder_sessions = 1;
            },
            Kind::kRun, Reason::kFits},
        Row{"larger_than_the_card", [](GpuState&, Request& r) { r.cost.textures = gib(22.1); },
            Kind::kElsewhere, Reason::kTooLarge},
        Row{"under_a_reservation_it_may_not_delay", [](GpuState& s, Request&) { reserved(s, 6); },
            Kind::kRun, Reason::kFits},
        Row{"under_a_reservation_it_would_delay", [](GpuState& s, Request&) { reserved(s, 5.9); },
            Kind::kWait, Reason::kReserved, 12},
        Row{"backfills_before_the_shadow",
            [](GpuState& s, Request&) {
              reserved(s, 5.9);
              promise_segment(s, .1, .1, 5.2);
            },
            Kind::kRun, Reason::kFits},
        Row{"ends_after_the_shadow",
            [](GpuState& s, Request&) {
              reserved(s, 5.9);
              promise_segment(s, .1, .1, 5.1);
            },
            Kind::kWait, Reason::kReserved, 12},
        Row{"a_reservation_that_ran_out",
            [](GpuState& s, Request&) {
              reserved(s, 5.9);
              s.reservation->expires_at = kNow;
            },
            Kind::kRun, Reason::kFits}),
    [](const auto& row) { return row.param.name; });

struct SpillRow {
  std::string name;
  std::function<void(Request&, CardQueue&, CardSizes&)> given;
  Kind kind;
  Reason reason;
};
void PrintTo(const SpillRow& row, std::ostream* out) { *out << row.name; }

class Spill : public testing::TestWithParam<SpillRow> {};

// Four cards, 600 s queued for them: a wait of 150 s, worth 0.30 USD; the offer is 0.25 USD, 80 s.
TEST_P(Spill, IsDecided) {
  Request request = generation();
  request.policy = EnginePolicy::kLocalPreferred;
  request.offer = ApiOffer{250'000, seconds(80)};
  CardQueue queue{4, seconds(600)};
  CardSizes cards{{gib(23)}};
  GetParam().given(request, queue, cards);
  const Decision decision = decide_spill(request, queue, cards, {}, kNow);
  EXPECT_EQ(name_of(decision.kind), name_of(GetParam().kind));
  EXPECT_EQ(name_of(decision.reason), name_of(GetParam().reason));
  if (decision.kind == Kind::kWait) {
    EXPECT_EQ(decision.until, kNow + queue.queued / queue.cards) << "the predicted start";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Spill,
    testing::Values(
        SpillRow{"waiting_costs_more", [](Request&, CardQueue&, CardSizes&) {}, Kind::kElsewhere,
                 Reason::kPrice},
        SpillRow{"waiting_costs_less",
                 [](Request&, CardQueue& q, CardSizes&) { q.queued = seconds(500); }, Kind::kWait,
                 Reason::kVramExhausted},
        SpillRow{"others_wait_behind_it",
                 [](Request&, CardQueue& q, CardSizes&) {
                   q.queued = seconds(500);  // 0.25 USD, and 60 / 4 s of one more task
                   q.behind = 1;
                 },
                 Kind::kElsewhere, Reason::kPrice},
        SpillRow{"priority_makes_waiting_dear",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   q.queued = seconds(500);
                   r.priority = 1;
                 },
                 Kind::kElsewhere, Reason::kPrice},
        SpillRow{"no_queue_no_spill",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   q.queued = seconds(0);
                   r.offer->micro_usd = 0;
                 },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"slower_elsewhere",
                 [](Request& r, CardQueue&, CardSizes&) { r.offer->latency = seconds(210); },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"local_only_stays",
                 [](Request& r, CardQueue&, CardSizes&) { r.policy = EnginePolicy::kLocalOnly; },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"nobody_offers", [](Request& r, CardQueue&, CardSizes&) { r.offer.reset(); },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"deadline_would_be_missed",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   q.queued = seconds(500);  // done in 125 + 60 s here, in 80 s there
                   r.deadline = kNow + seconds(184);
                 },
                 Kind::kElsewhere, Reason::kDeadline},
        SpillRow{"deadline_would_be_met",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   q.queued = seconds(500);
                   r.deadline = kNow + seconds(185);
                 },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"deadline_missed_anyway",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   q.queued = seconds(500);
                   r.deadline = kNow + seconds(80);
                 },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"fits_on_no_card",
                 [](Request& r, CardQueue&, CardSizes&) { r.demand.structural = gib(22.6); },
                 Kind::kElsewhere, Reason::kTooLarge},
        SpillRow{"fits_on_no_card_and_may_not_leave",
                 [](Request& r, CardQueue&, CardSizes&) {
                   r.demand.structural = gib(22.6);
                   r.policy = EnginePolicy::kLocalOnly;
                 },
                 Kind::kNever, Reason::kTooLarge},
        SpillRow{"a_learned_peak_is_never_never",
                 [](Request& r, CardQueue& q, CardSizes&) {
                   r.demand.structural = gib(22.5);
                   for (Bytes& peak : r.demand.peak) peak = gib(90);
                   q.queued = seconds(0);
                   r.policy = EnginePolicy::kLocalOnly;
                 },
                 Kind::kWait, Reason::kVramExhausted},
        SpillRow{"no_card", [](Request&, CardQueue&, CardSizes& c) { c.usable.clear(); },
                 Kind::kElsewhere, Reason::kNoGpu},
        SpillRow{"no_card_and_may_not_leave",
                 [](Request& r, CardQueue&, CardSizes& c) {
                   c.usable.clear();
                   r.policy = EnginePolicy::kLocalOnly;
                 },
                 Kind::kNever, Reason::kNoGpu},
        SpillRow{"api_only",
                 [](Request& r, CardQueue&, CardSizes&) { r.policy = EnginePolicy::kApiOnly; },
                 Kind::kElsewhere, Reason::kPolicy},
        SpillRow{"api_only_and_nobody_offers",
                 [](Request& r, CardQueue&, CardSizes&) {
                   r.policy = EnginePolicy::kApiOnly;
                   r.offer.reset();
                 },
                 Kind::kNever, Reason::kPolicy}),
    [](const auto& row) { return row.param.name; });

int at_once(int threads, int pieces, int encoder_sessions = 0) {
  Cost cost;
  cost.pieces = pieces;
  cost.encoder_sessions = encoder_sessions;
  return segments_at_once(threads, cost);
}

TEST(SegmentsAtOnce, HavePiecesForEveryThreadAndOneIsReady) {
  EXPECT_EQ(at_once(16, 2), 9);
  EXPECT_EQ(at_once(16, 3), 7) << "six have 18 pieces";
  EXPECT_EQ(at_once(4, 2), 3);
  EXPECT_EQ(at_once(2, 2), 2);
  EXPECT_EQ(at_once(16, 1), 16) << "a thread waits for each";
  EXPECT_EQ(at_once(1, 2), 1);
  EXPECT_EQ(at_once(0, 0), 1);
}

TEST(SegmentsAtOnce, AreFewWhereTheCardEncodes) {
  EXPECT_EQ(at_once(16, 1, 1), 4);
  EXPECT_EQ(at_once(2, 1, 1), 2);
}

Decision compositor(double queued_s, int cores, CardSizes cards = {{gib(23)}},
                    double size_gib = .5) {
  RenderLoad load;
  load.queue = {2, seconds(queued_s)};
  load.segments = 10;
  load.free_cores = cores;
  load.gpu_threads = 8;
  return decide_compositor(segment(size_gib), load, cards, {});
}

TEST(Compositor, IsTheGpuUnlessTheCpuIsDoneSooner) {
  // Eight at once; ten segments of 4 s take 28 s each on a core.
  EXPECT_EQ(compositor(0, 10).kind, Kind::kRun);
  EXPECT_EQ(compositor(0, 10).lane, Lane::kRender);
  EXPECT_EQ(compositor(224, 10).kind, Kind::kRun) << "28 s there and here";
  EXPECT_EQ(compositor(225, 10).lane, Lane::kCpu);
  EXPECT_EQ(compositor(225, 10).reason, Reason::kBacklog);
  EXPECT_EQ(compositor(225, 9).lane, Lane::kRender);
  EXPECT_EQ(compositor(22'500, 1).lane, Lane::kRender) << "one core is none";
}

Decision on_card_with_memory_in(double seconds_s, int cores) {
  RenderLoad load;
  load.queue = {2, seconds(16)};  // two seconds of eight at once
  load.memory_wait = seconds(seconds_s);
  load.segments = 10;
  load.free_cores = cores;
  load.gpu_threads = 8;
  return decide_compositor(segment(.5), load, {{gib(23)}}, {});
}

TEST(Compositor, IsTheGpuWhereMoreThreadsEmptyItsQueueSooner) {
  RenderLoad load;
  load.queue = {2, seconds(225)};
  load.segments = 10;
  load.free_cores = 10;
  load.gpu_threads = 8;
  EXPECT_EQ(decide_compositor(segment(.5), load, {{gib(23)}}, {}).lane, Lane::kCpu);
  load.gpu_threads = 32;
  EXPECT_EQ(decide_compositor(segment(.5), load, {{gib(23)}}, {}).lane, Lane::kRender);
}

TEST(Compositor, IsTheCpuWhileTheCardIsFullAndCoresAreIdle) {
  EXPECT_EQ(on_card_with_memory_in(28, 10).lane, Lane::kRender);
  EXPECT_EQ(on_card_with_memory_in(28.1, 10).lane, Lane::kCpu);
  EXPECT_EQ(on_card_with_memory_in(28.1, 10).reason, Reason::kVramExhausted);
  EXPECT_EQ(on_card_with_memory_in(28.1, 9).lane, Lane::kRender) << "no core to spare";
}

TEST(Compositor, WaitsForThePromptThatHasTheMemory) {
  const auto patience = seconds(30);
  GpuState state = idle_card(24);
  EXPECT_EQ(memory_wait(state, segment(.5), patience, {}, kNow), seconds(0));
  Promise& prompt = promise_prompt(state, "wan", 22.3);
  prompt.ends_at = kNow + seconds(12);
  EXPECT_EQ(memory_wait(state, segment(.5), patience, {}, kNow), seconds(12));
  state.promises[0].ends_at = kNow + seconds(90);
  EXPECT_EQ(memory_wait(state, segment(.5), patience, {}, kNow), patience);
  state.promises[0].ends_at = kNow - seconds(9);
  EXPECT_EQ(memory_wait(state, segment(.5), patience, {}, kNow), seconds(0)) << "late";
}

TEST(Compositor, DoesNotKnowWhenAnotherProgramGivesMemoryBack) {
  GpuState state = idle_card(24);
  take_foreign(state, 22.3);
  EXPECT_EQ(memory_wait(state, segment(.5), seconds(30), {}, kNow), seconds(30));
  promise_prompt(state, "wan", .2);
  EXPECT_EQ(memory_wait(state, segment(.5), seconds(30), {}, kNow), seconds(30))
      << "what the prompt gives back is not enough";
}

TEST(Compositor, IsTheCpuWhereNoCardWillDo) {
  EXPECT_EQ(compositor(0, 0, {}).reason, Reason::kNoGpu);
  EXPECT_EQ(compositor(0, 0, {{gib(1)}}, .6).reason, Reason::kTooLarge);
  EXPECT_EQ(compositor(0, 0, {{gib(1)}}, .5).kind, Kind::kRun);
}

TEST(Sentence, SaysTheSizes) {
  GpuState state = idle_card(24);
  load(state, "wan", 18);
  take_foreign(state, 2.7);
  Request request = generation("g", "ltx", 4, 7, 6.1);
  request.waiting_since = kNow;
  state.room = RoomMaking{"g", kNow - seconds(11), true};
  const EndpointDecision chosen =
      decide_generation(state, {&request, 1}, one_size(state), {}, kNow);
  EXPECT_EQ(sentence(chosen.decision),
            "needs 6.1 GiB on GPU-A; 2.3 GiB free, ComfyUI holds 18.0 GiB, other programs hold "
            "2.7 GiB");
  EXPECT_EQ(size_text(gib(.3)), "307 MiB");
  EXPECT_EQ(size_text(-gib(2)), "-2.0 GiB");
}

TEST(Sentence, NamesTheLargestCardWhenNoneWillDo) {
  Request request = generation("g", "hun", 20, 40, 30);
  const Decision decision = decide_spill(request, {}, {{gib(23)}}, {}, kNow);
  EXPECT_EQ(decision.kind, Kind::kNever);
  EXPECT_EQ(sentence(decision), "needs 30.0 GiB; the largest card can give 23.0 GiB");
}

}  // namespace
}  // namespace pytoon::jobs::admission
