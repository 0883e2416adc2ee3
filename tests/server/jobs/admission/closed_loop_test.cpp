// Controller and ledger in a closed loop on one card, a quarter second a step: what must come true
// over time. Nothing starves, models do not ping-pong, room is made seldom and never under a
// prompt.
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "server/jobs/admission/memory_ledger.h"
#include "tests/server/jobs/admission/admission_samples.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs::admission {
namespace {

// The card's ComfyUI keeps the models that it loaded until it is told to free them; segments and
// prompts take all that they were promised, at once.
class Loop {
 public:
  explicit Loop(double total_gib) : ledger_(clock_, {}) {
    card_ = idle_card(total_gib);
    cards_ = one_size(card_);
  }

  void wait_generation(const Request& request) {
    waiting_.push_back(request);
    waiting_.back().waiting_since = clock_.now();
  }
  // Segments of that size and length always wait, as many as run at once.
  void stream_segments(double size_gib, double duration_s) {
    stream_ = segment(size_gib, duration_s);
  }

  void run(double for_s) {
    for (double t = 0; t < for_s; t += .25) {
      clock_.advance(std::chrono::milliseconds(250));
      end_what_is_over();
      publish();
      start_generation();
      start_segments();
    }
  }

  // Largest wait of a generation, those that still wait included.
  double wait_max_s() const {
    double longest = 0;
    for (const auto& [task, waited] : waited_s_) longest = std::max(longest, waited);
    for (const Request& request : waiting_) longest = std::max(longest, age_s(request));
    return longest;
  }
  double waited_s(const std::string& task) const { return waited_s_.at(task); }
  std::size_t waiting() const { return waiting_.size(); }
  int loads() const { return loads_; }
  int segments() const { return segments_; }
  const std::vector<WallTime>& frees() const { return frees_; }

 private:
  struct Live {
    Promise promise;
    WallTime ends;
  };

  double age_s(const Request& request) const {
    return std::chrono::duration<double>(clock_.now() - request.waiting_since).count();
  }

  void publish() {
    Sample sample = card_.sample;
    sample.at = clock_.now();
    sample.endpoint.models = models_;
    sample.free = sample.total - sample.contexts;
    for (const ResidentModel& model : models_) sample.free -= model.bytes;
    for (const Live& live : live_) {
      Bytes held = live.promise.bytes;
      if (live.promise.lane == Lane::kGenerate) {
        held -= resident_bytes(sample, live.promise.model);
        sample.endpoint.state = EndpointSample::State::kBusy;
        sample.endpoint.running = live.promise.epoch;
        sample.endpoint.working = held;
      } else {
        sample.held.push_back({live.promise.epoch, held});
      }
      sample.free -= held;
    }
    ASSERT_GE(sample.free, 0) << "the card is full";
    const Result<Published> published = ledger_.publish("GPU-A", sample);
    ASSERT_TRUE(published);
    ASSERT_FALSE(published->balance.violated);
    std::vector<Promise> held;
    for (const Live& live : live_) held.push_back(live.promise);
    ASSERT_TRUE(ledger_.renew(held)->empty());
  }

  void end_what_is_over() {
    std::erase_if(live_, [&](const Live& live) {
      if (live.ends > clock_.now()) return false;
      EXPECT_TRUE(ledger_.release(live.promise));
      return true;
    });
    if (freed_at_ && clock_.now() >= *freed_at_) {
      models_.clear();
      freed_at_.reset();
      EXPECT_TRUE(ledger_.end_room("GPU-A"));
    }
  }

  bool give(const Wish& wish, std::chrono::milliseconds lasts) {
    const Granted granted = ledger_.promise(wish).value();
    if (!std::holds_alternative<Promise>(granted)) return false;
    live_.push_back({std::get<Promise>(granted), clock_.now() + lasts});
    return true;
  }

  void start_generation() {
    const std::vector<Request> heads(waiting_.begin(), waiting_.end());
    const GpuState state = ledger_.state("GPU-A").value();
    const EndpointDecision chosen = decide_generation(state, heads, cards_, {}, clock_.now());
    if (chosen.head == heads.size()) return;
    const Request& request = heads[chosen.head];
    const Decision& decision = chosen.decision;
    if (decision.kind == Decision::Kind::kMakeRoom) {
      ASSERT_TRUE(ledger_.begin_room("GPU-A", request.task, seconds(20)));
      for (const Live& live : live_) ASSERT_NE(live.promise.lane, Lane::kGenerate);
      frees_.push_back(clock_.now());
      freed_at_ = clock_.now() + seconds(1);
    } else if (decision.reserve) {
      ASSERT_TRUE(ledger_.reserve("GPU-A", request.task, decision.need, seconds(15)));
    } else if (decision.kind == Decision::Kind::kRun) {
      run_prompt(request, decision, chosen.head);
    }
  }

  void run_prompt(const Request& request, const Decision& decision, std::size_t head) {
    Wish wish;
    wish.gpu = "GPU-A";
    wish.task = request.task;
    wish.lane = Lane::kGenerate;
    wish.model = request.demand.model;
    wish.bytes = decision.promise;
    wish.duration = request.demand.run;
    ASSERT_TRUE(give(wish, request.demand.run));
    Sample now;
    now.endpoint.models = models_;
    if (resident_bytes(now, request.demand.model) == 0) {
      ++loads_;
      models_.push_back({request.demand.model, request.demand.weights});
    }
    waited_s_[request.task] = age_s(request);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(head));
  }

  void start_segments() {
    if (!stream_) return;
    for (int i = 0; i < 4; ++i) {
      Request request = *stream_;
      request.task = "s" + std::to_string(segments_);
      const Decision decision =
          decide_render(ledger_.state("GPU-A").value(), request, {}, clock_.now());
      if (decision.kind != Decision::Kind::kRun) return;
      ASSERT_TRUE(give(wish_of("GPU-A", request), request.cost.duration));
      ++segments_;
    }
  }

  testing_support::HandClock clock_;
  MemoryLedger ledger_;
  GpuState card_;
  CardSizes cards_;
  std::deque<Request> waiting_;
  std::optional<Request> stream_;
  std::vector<Live> live_;
  std::vector<ResidentModel> models_;
  std::optional<WallTime> freed_at_;
  std::map<std::string, double> waited_s_;
  std::vector<WallTime> frees_;
  int loads_ = 0;
  int segments_ = 0;
};

TEST(ClosedLoop, ABigPromptStartsThroughAStreamOfSegments) {
  Loop loop(24);
  loop.stream_segments(1.5, 7);
  loop.run(20);
  ASSERT_GE(loop.segments(), 8);
  loop.wait_generation(generation("big", "wan", 17, 30, 20));
  loop.run(60);
  EXPECT_EQ(loop.waiting(), 0U);
  // Three seconds until it reserves, a segment's end, a sample.
  EXPECT_LE(loop.waited_s("big"), 3 + 7 + 1);
}

TEST(ClosedLoop, SegmentsGoOnBesideAPrompt) {
  Loop loop(24);
  loop.wait_generation(generation("g", "ltx", 8, 13, 10));
  loop.run(1);
  loop.stream_segments(.5, 4);
  loop.run(20);
  EXPECT_GE(loop.segments(), 16) << "four at once, four seconds each";
}

TEST(ClosedLoop, ABigModelIsNotStarvedByAStreamOfAnother) {
  Loop loop(24);
  int made = 0;
  const auto small = [&made] {
    Request request = generation("s" + std::to_string(made++), "ltx", 8, 13, 10);
    request.demand.run = seconds(20);
    return request;
  };
  for (int i = 0; i < 4; ++i) loop.wait_generation(small());
  loop.run(30);
  loop.wait_generation(generation("big", "wan", 17, 30, 21));
  for (int i = 0; i < 40; ++i) {
    loop.wait_generation(small());
    loop.run(20);
  }
  // The queue ahead of it (three), the loaded model's bonus, the prompt that runs, POST /free.
  EXPECT_LE(loop.waited_s("big"), 3 * 21 + 60 + 21 + 20);
}

// 18 s of work come every 15 s, so both models always wait: each switch costs a POST /free.
TEST(ClosedLoop, TwoModelsThatDoNotFitTogetherTakeTurnsInBatches) {
  Loop loop(24);
  int made = 0;
  for (int i = 0; i < 60; ++i) {
    for (const char* const model : {"a", "b"}) {
      Request request = generation(std::string(model) + std::to_string(made++), model, 15, 20, 18);
      request.demand.run = seconds(9);
      loop.wait_generation(request);
    }
    loop.run(15);
  }
  loop.run(400);
  EXPECT_EQ(loop.waiting(), 0U);
  // 18 minutes of work: a switch a window of 60 s, and the two first loads while nothing waits.
  EXPECT_LE(loop.loads(), 18 + 2);
  EXPECT_GE(loop.loads(), 6) << "neither waits for the other to end";
  EXPECT_LE(loop.wait_max_s(), 180 + 60 + 20 * 2) << "the backlog, a window, the switches";
  for (std::size_t i = 1; i < loop.frees().size(); ++i) {
    EXPECT_GE(loop.frees()[i] - loop.frees()[i - 1], seconds(20));
  }
}

}  // namespace
}  // namespace pytoon::jobs::admission
