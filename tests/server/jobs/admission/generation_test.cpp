// Every branch of decide_generation, one row each.
#include <gtest/gtest.h>

#include <functional>

#include "tests/server/jobs/admission/admission_samples.h"

namespace pytoon::jobs::admission {
namespace {

using Kind = Decision::Kind;

struct Case {
  GpuState state = idle_card();
  std::vector<Request> heads{generation()};
  CardSizes cards{{gib(23)}};
  ControllerOptions options;
};

struct Row {
  std::string name;
  std::function<void(Case&)> given;
  std::size_t head;
  Kind kind;
  Reason reason;
  std::function<void(const Decision&)> also = [](const Decision&) {};
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Generation : public testing::TestWithParam<Row> {};

TEST_P(Generation, IsDecided) {
  const Row& row = GetParam();
  Case given;
  row.given(given);
  const EndpointDecision chosen =
      decide_generation(given.state, given.heads, given.cards, given.options, kNow);
  EXPECT_EQ(chosen.head, row.head);
  EXPECT_EQ(name_of(chosen.decision.kind), name_of(row.kind));
  EXPECT_EQ(name_of(chosen.decision.reason), name_of(row.reason)) << sentence(chosen.decision);
  row.also(chosen.decision);
  const EndpointDecision again =
      decide_generation(given.state, given.heads, given.cards, given.options, kNow);
  EXPECT_EQ(sentence(again.decision), sentence(chosen.decision)) << "same input, same answer";
  if (row.kind == Kind::kWait) {
    EXPECT_GT(chosen.decision.until, kNow) << "an event to come";
  }
}

void needs_27(Case& c) { c.heads = {generation("big", "wan", 17, 27, 21)}; }

std::vector<Row> endpoint_rows() {
  const auto stale = Reason::kStaleSample;
  return {
      {"no_sample", [](Case& c) { c.state.sample = {}; }, 1, Kind::kWait, stale},
      {"old_sample", [](Case& c) { c.state.sample.at -= seconds(2.001); }, 1, Kind::kWait, stale},
      {"sample_of_two_seconds", [](Case& c) { c.state.sample.at -= seconds(2); }, 0, Kind::kRun,
       Reason::kFits},
      {"a_prompt_of_ours", [](Case& c) { promise_prompt(c.state, "ltx", 10); }, 1, Kind::kWait,
       Reason::kEndpointBusy},
      {"a_prompt_of_others",
       [](Case& c) { c.state.sample.endpoint.state = EndpointSample::State::kBusy; }, 1,
       Kind::kWait, Reason::kEndpointBusy},
      {"down", [](Case& c) { c.state.sample.endpoint.state = EndpointSample::State::kDown; }, 1,
       Kind::kWait, Reason::kEndpointDown},
      {"absent", [](Case& c) { c.state.sample.endpoint.state = EndpointSample::State::kAbsent; }, 1,
       Kind::kWait, Reason::kEndpointDown},
      // Trap 3: the card still looks full when a prompt has just ended.
      {"ended_after_the_sample",
       [](Case& c) {
         promise_prompt(c.state, "ltx", 22).released_at = kNow;
         load(c.state, "wan", 17);
       },
       1, Kind::kWait, Reason::kEndpointDraining},
      {"ended_before_the_sample",
       [](Case& c) { promise_prompt(c.state, "ltx", 22).released_at = kNow - seconds(.001); }, 0,
       Kind::kRun, Reason::kFits},
      {"room_is_being_made",
       [](Case& c) {
         c.state.room = RoomMaking{"x", kNow - seconds(9), false};
       },
       1, Kind::kWait, Reason::kMakingRoom},
      {"room_took_too_long",
       [](Case& c) {
         c.state.room = RoomMaking{"x", kNow - seconds(10), false};
       },
       0, Kind::kRun, Reason::kFits},
      {"nothing_waits", [](Case& c) { c.heads.clear(); }, 0, Kind::kWait, Reason::kNothingWaits},
      {"kept_for_a_task_that_is_not_here",
       [](Case& c) {
         c.state.reservation = Reservation{"x", gib(20), kNow + seconds(9)};
       },
       1, Kind::kWait, Reason::kReserved,
       [](const Decision& d) { EXPECT_EQ(d.until, kNow + seconds(9)); }},
      {"a_reservation_that_ran_out",
       [](Case& c) {
         c.state.reservation = Reservation{"x", gib(20), kNow};
       },
       0, Kind::kRun, Reason::kFits},
  };
}

std::vector<Row> shape_rows() {
  const auto promises = [](double size, Shape shape) {
    return [=](const Decision& d) {
      EXPECT_EQ(d.promise, gib(size)) << size_text(d.promise);
      EXPECT_EQ(d.shape, shape);
    };
  };
  return {
      {"full", [](Case&) {}, 0, Kind::kRun, Reason::kFits, promises(13, Shape::kFull)},
      {"full_to_the_last_byte", [](Case& c) { take_foreign(c.state, 23 - 13.5); }, 0, Kind::kRun,
       Reason::kFits, promises(13, Shape::kFull)},
      {"tiled_one_byte_later",
       [](Case& c) {
         take_foreign(c.state, 23 - 13.5);
         --c.state.sample.free;
       },
       0, Kind::kRun, Reason::kFits, promises(10, Shape::kTiled)},
      {"resident_weights_need_no_room",
       [](Case& c) {
         load(c.state, "ltx", 8);
         take_foreign(c.state, 23 - 13.5);
       },
       0, Kind::kRun, Reason::kFits, promises(13, Shape::kFull)},
      {"paged_on_dynamic_builds",
       [](Case& c) {
         c.state.sample.endpoint.dynamic_vram = true;
         take_foreign(c.state, 15);
       },
       0, Kind::kRun, Reason::kFits, promises(6.8, Shape::kPaged)},
      {"not_paged_elsewhere", [](Case& c) { take_foreign(c.state, 15); }, 0, Kind::kWait,
       Reason::kVramExhausted},
      {"not_paged_when_more_lies_there",
       [](Case& c) {
         c.state.sample.endpoint.dynamic_vram = true;
         load(c.state, "ltx", 5);
         take_foreign(c.state, 16);
       },
       0, Kind::kWait, Reason::kVramExhausted},
      {"first_run_is_tiled_with_all_that_is_free",
       [](Case& c) {
         c.heads[0].demand.first_run = true;
         take_foreign(c.state, 3);
       },
       0, Kind::kRun, Reason::kFits, promises(19.5, Shape::kTiled)},
      {"dynamic_fill_counts_as_room",
       [](Case& c) {
         c.state.sample.endpoint.dynamic_vram = true;
         c.state.sample.endpoint.fill = gib(20);
         c.state.sample.free -= gib(20);
       },
       0, Kind::kRun, Reason::kFits, promises(13, Shape::kFull)},
  };
}

std::vector<Row> room_rows() {
  const auto exhausted = Reason::kVramExhausted;
  return {
      {"free_models",
       [](Case& c) {
         needs_27(c);
         load(c.state, "ltx", 8);
       },
       0, Kind::kMakeRoom, exhausted,
       [](const Decision& d) {
         EXPECT_EQ(d.step, RoomStep::kFreeModels);
         EXPECT_EQ(d.shape, Shape::kTiled);
         EXPECT_EQ(d.comfyui, gib(8));
       }},
      {"not_again_within_20_s",
       [](Case& c) {
         needs_27(c);
         load(c.state, "ltx", 8);
         c.state.room = RoomMaking{"x", kNow - seconds(19.9), true};
       },
       0, Kind::kWait, exhausted},
      {"again_after_20_s",
       [](Case& c) {
         needs_27(c);
         load(c.state, "ltx", 8);
         c.state.room = RoomMaking{"x", kNow - seconds(20), true};
       },
       0, Kind::kMakeRoom, exhausted},
      {"no_room_when_a_shape_fits",
       [](Case& c) {
         c.heads = {generation("g", "wan", 10, 22, 14)};
         load(c.state, "ltx", 8);
       },
       0, Kind::kRun, Reason::kFits, [](const Decision& d) { EXPECT_EQ(d.shape, Shape::kTiled); }},
      {"no_room_when_freeing_is_not_enough",
       [](Case& c) {
         needs_27(c);
         load(c.state, "ltx", 1);
         take_foreign(c.state, 3);
       },
       0, Kind::kWait, exhausted, [](const Decision& d) { EXPECT_FALSE(d.reserve); }},
  };
}

std::vector<Row> residue_rows() {
  return {
      {"residue_is_waited_for",
       [](Case& c) {
         needs_27(c);
         c.state.sample.endpoint.residue = gib(2);
         c.state.sample.free -= gib(2);
         c.state.sample.endpoint.restartable = true;
         c.heads[0].waiting_since = kNow - seconds(299);
       },
       0, Kind::kWait, Reason::kResidue},
      {"residue_restarts_the_endpoint",
       [](Case& c) {
         needs_27(c);
         c.state.sample.endpoint.residue = gib(2);
         c.state.sample.free -= gib(2);
         c.state.sample.endpoint.restartable = true;
         c.heads[0].waiting_since = kNow - seconds(300);
       },
       0, Kind::kMakeRoom, Reason::kResidue,
       [](const Decision& d) { EXPECT_EQ(d.step, RoomStep::kRestartEndpoint); }},
      {"residue_of_a_stranger_s_endpoint_sends_elsewhere",
       [](Case& c) {
         needs_27(c);
         c.state.sample.endpoint.residue = gib(2);
         c.state.sample.free -= gib(2);
         c.heads[0].waiting_since = kNow - seconds(300);
         c.heads[0].policy = EnginePolicy::kLocalPreferred;
         c.heads[0].offer = ApiOffer{100, seconds(20)};
       },
       0, Kind::kElsewhere, Reason::kResidue,
       [](const Decision& d) { EXPECT_EQ(d.lane, Lane::kApi); }},
      {"residue_with_nowhere_to_go",
       [](Case& c) {
         needs_27(c);
         c.state.sample.endpoint.residue = gib(2);
         c.state.sample.free -= gib(2);
         c.heads[0].waiting_since = kNow - seconds(300);
       },
       0, Kind::kWait, Reason::kResidue},
  };
}

// Measured 14, by its file 12; strangers leave 14 of 23.
void exiled(Case& c, double waited_s) {
  c.heads = {generation("big", "wan", 9, 20, 14)};
  c.heads[0].demand.structural = gib(12);
  c.heads[0].waiting_since = kNow - seconds(waited_s);
  take_foreign(c.state, 9);
}

std::vector<Row> trial_rows() {
  const Reason exhausted = Reason::kVramExhausted;
  return {
      {"what_strangers_hold_is_waited_for", [](Case& c) { exiled(c, 119); }, 0, Kind::kWait,
       exhausted},
      {"then_it_runs_with_the_whole_card", [](Case& c) { exiled(c, 120); }, 0, Kind::kRun,
       Reason::kTrial,
       [](const Decision& d) {
         EXPECT_EQ(d.promise, gib(24)) << "the whole card";
         EXPECT_EQ(d.shape, Shape::kTiled);
       }},
      {"its_own_model_may_stay",
       [](Case& c) {
         exiled(c, 120);
         load(c.state, "wan", 9);
       },
       0, Kind::kRun, Reason::kTrial,
       [](const Decision& d) { EXPECT_EQ(d.promise, gib(24)) << "the whole card"; }},
      {"other_models_go_first",
       [](Case& c) {
         exiled(c, 120);
         load(c.state, "ltx", 5);
       },
       0, Kind::kMakeRoom, exhausted},
      {"not_while_segments_of_ours_will_end",
       [](Case& c) {
         exiled(c, 120);
         promise_segment(c.state, .25, .25);
       },
       0, Kind::kWait, exhausted},
      {"not_beyond_the_word_of_its_file",
       [](Case& c) {
         exiled(c, 120);
         c.heads[0].demand.structural = gib(13.6);
       },
       0, Kind::kWait, exhausted},
  };
}

// A card whose memory segments have: 21 + .5 asked, 23 - 4 there.
void crowded(Case& c, double waited_s) {
  needs_27(c);
  promise_segment(c.state, 2, 1, 4);
  promise_segment(c.state, 2, 2, 7);
  c.heads[0].waiting_since = kNow - seconds(waited_s);
  c.heads.push_back(generation("small"));
}

std::vector<Row> order_rows() {
  return {
      {"small_passes_the_big_one_at_first", [](Case& c) { crowded(c, 2.9); }, 1, Kind::kRun,
       Reason::kFits},
      {"big_one_reserves_after_3_s", [](Case& c) { crowded(c, 3); }, 0, Kind::kWait,
       Reason::kVramExhausted,
       [](const Decision& d) {
         EXPECT_TRUE(d.reserve);
         EXPECT_EQ(d.until, kNow + seconds(4)) << "the first segment's end";
         EXPECT_EQ(d.need, gib(21));
       }},
      {"a_reservation_is_not_made_twice",
       [](Case& c) {
         crowded(c, 9);
         c.state.reservation = Reservation{"big", gib(21), kNow + seconds(9)};
       },
       0, Kind::kWait, Reason::kVramExhausted, [](const Decision& d) { EXPECT_FALSE(d.reserve); }},
      {"nobody_passes_a_reservation",
       [](Case& c) {
         crowded(c, 9);
         c.state.reservation = Reservation{"big", gib(21), kNow + seconds(9)};
         c.heads[1].waiting_since = kNow - seconds(900);
       },
       0, Kind::kWait, Reason::kVramExhausted},
      {"one_reservation_a_task",
       [](Case& c) {
         crowded(c, 9);
         c.heads[0].reserved_on = "GPU-B";
       },
       1, Kind::kRun, Reason::kFits},
      {"reserved_task_starts",
       [](Case& c) {
         needs_27(c);
         c.heads.push_back(generation("small"));
         c.state.reservation = Reservation{"big", gib(21), kNow + seconds(9)};
         c.heads[1].waiting_since = kNow - seconds(900);
       },
       0, Kind::kRun, Reason::kFits},
      {"too_big_for_the_card_lets_others_pass",
       [](Case& c) {
         c.heads = {generation("huge", "hun", 20, 40, 30), generation("small")};
         c.heads[0].waiting_since = kNow - seconds(900);
       },
       1, Kind::kRun, Reason::kFits},
      {"the_oldest_is_told_when_nobody_can_go",
       [](Case& c) {
         c.heads = {generation("a", "hun", 20, 40, 30), generation("b", "hun", 20, 40, 30)};
         c.heads[1].waiting_since = kNow - seconds(90);
       },
       1, Kind::kWait, Reason::kVramExhausted},
  };
}

std::vector<Row> age_rows() {
  return {
      {"older_first",
       [](Case& c) {
         c.heads = {generation("a"), generation("b")};
         c.heads[1].waiting_since = kNow - seconds(2);
       },
       1, Kind::kRun, Reason::kFits},
      {"equal_ones_by_name",
       [](Case& c) {
         c.heads = {generation("b"), generation("a")};
       },
       1, Kind::kRun, Reason::kFits},
      {"priority_is_a_minute_of_age",
       [](Case& c) {
         c.heads = {generation("a"), generation("b")};
         c.heads[0].waiting_since = kNow - seconds(59);
         c.heads[1].waiting_since = kNow;
         c.heads[1].priority = 1;
       },
       1, Kind::kRun, Reason::kFits},
      {"a_loaded_model_is_a_minute_of_age",
       [](Case& c) {
         load(c.state, "ltx", 8);
         c.heads = {generation("a", "img", 7, 9, 8), generation("b")};
         c.heads[0].waiting_since = kNow - seconds(60);
       },
       1, Kind::kRun, Reason::kFits},
      {"a_loaded_model_is_no_more_than_that",
       [](Case& c) {
         load(c.state, "ltx", 8);
         c.heads = {generation("a", "img", 7, 9, 8), generation("b")};
         c.heads[0].waiting_since = kNow - seconds(61.1);
       },
       0, Kind::kRun, Reason::kFits},
      {"a_big_card_prefers_what_only_it_can_do",
       [](Case& c) {
         c.state = idle_card(48);
         c.cards = {{gib(23), gib(47)}};
         c.heads = {generation("a"), generation("b", "hun", 20, 38, 30)};
         c.heads[0].waiting_since = kNow - seconds(40);
       },
       1, Kind::kRun, Reason::kFits},
      {"a_deadline_at_risk_is_a_minute_of_age",
       [](Case& c) {
         c.heads = {generation("a"), generation("b")};
         c.heads[0].waiting_since = kNow - seconds(60);
         c.heads[1].deadline = kNow + seconds(149);
       },
       1, Kind::kRun, Reason::kFits},
      {"a_deadline_far_away_is_nothing",
       [](Case& c) {
         c.heads = {generation("a"), generation("b")};
         c.heads[0].waiting_since = kNow - seconds(60);
         c.heads[1].deadline = kNow + seconds(150);
       },
       0, Kind::kRun, Reason::kFits},
  };
}

const auto kName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Endpoint, Generation, testing::ValuesIn(endpoint_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Shapes, Generation, testing::ValuesIn(shape_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Room, Generation, testing::ValuesIn(room_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Trial, Generation, testing::ValuesIn(trial_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Residue, Generation, testing::ValuesIn(residue_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Age, Generation, testing::ValuesIn(age_rows()), kName);
INSTANTIATE_TEST_SUITE_P(Order, Generation, testing::ValuesIn(order_rows()), kName);

}  // namespace
}  // namespace pytoon::jobs::admission
