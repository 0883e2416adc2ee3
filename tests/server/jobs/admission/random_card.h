// A card in a random life, for property tests: processes that take what they were promised at their
// own pace, some that die, a ComfyUI with models, neighbours that come and go; and the ledger in
// memory beside it. Knows the truth at every instant.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "server/jobs/admission/memory_ledger.h"
#include "tests/server/jobs/admission/admission_samples.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs::admission {

class RandomCard {
 public:
  explicit RandomCard(unsigned seed) : random_(seed), ledger_(clock_, {}) {
    state_of_card_ = idle_card(std::array{24.0, 48.0, 80.0}[below(3)]);
  }

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  double size(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  WallTime now() const { return clock_.now(); }
  void pass(double time_s) { clock_.advance(seconds(time_s)); }

  // What is truly there.
  Bytes free() const {
    Bytes free = state_of_card_.sample.total - kContexts - foreign_;
    for (const auto& [epoch, held] : held_) free -= held;
    for (const ResidentModel& model : models_) free -= model.bytes;
    return free;
  }
  // F - sum of max(0, promised - held) over promises that live, by the ledger's list and the true
  // holdings: nothing of the product's arithmetic.
  Bytes slack() {
    Bytes slack = free();
    const GpuState seen = state();
    for (const Promise& promise : seen.promises) {
      if (promise.released_at || promise.expires_at <= now()) continue;
      Bytes held = 0;
      if (const auto found = held_.find(promise.epoch); found != held_.end()) held = found->second;
      for (const ResidentModel& model : models_) {
        if (promise.lane == Lane::kGenerate && model.model == promise.model) held += model.bytes;
      }
      slack -= std::max(Bytes{0}, promise.bytes - held);
    }
    return slack;
  }

  void publish() {
    pass(.001);
    Sample sample = state_of_card_.sample;
    sample.at = now();
    sample.free = free();
    sample.foreign = foreign_;
    sample.endpoint.models = models_;
    sample.endpoint.state = EndpointSample::State::kIdle;
    for (const Promise& promise : live_) {
      if (promise.lane == Lane::kGenerate) {
        sample.endpoint.state = EndpointSample::State::kBusy;
        sample.endpoint.running = promise.epoch;
        sample.endpoint.working = held_[promise.epoch];
      } else {
        sample.held.push_back({promise.epoch, held_[promise.epoch]});
      }
    }
    ASSERT_TRUE(ledger_.publish("GPU-A", sample));
  }

  GpuState state() { return ledger_.state("GPU-A").value(); }
  MemoryLedger& ledger() { return ledger_; }

  Request random_request() {
    if (below(2) == 0) {
      Request request = segment(size(.05, 4), size(1, 8));
      request.task = "s" + std::to_string(++tasks_);
      return request;
    }
    const double weights = size(3, 20);
    const double tiled = weights + size(.5, 8);
    Request request = generation("g" + std::to_string(++tasks_), "m" + std::to_string(below(4)),
                                 weights, tiled + size(0, 10), tiled);
    request.demand.first_run = below(4) == 0;
    return request;
  }

  // Decides on `seen`, and asks the ledger for what was decided. True when a promise was given.
  bool ask(const Request& request, const GpuState& seen) {
    Wish wish;
    wish.gpu = "GPU-A";
    wish.worker_id = request.lane == Lane::kRender ? request.worker_id : "w";
    wish.segments_max = request.segments_max;
    wish.task = request.task;
    wish.lane = request.lane;
    Decision decision;
    if (request.lane == Lane::kRender) {
      decision = decide_render(seen, request, {}, now());
      wish.duration = request.cost.duration;
    } else {
      decision = decide_generation(seen, {&request, 1}, one_size(seen), {}, now()).decision;
      wish.model = request.demand.model;
      wish.duration = request.demand.run;
    }
    if (decision.kind != Decision::Kind::kRun) return false;
    wish.bytes = decision.promise;
    const Granted granted = ledger_.promise(wish).value();
    if (!std::holds_alternative<Promise>(granted)) return false;
    live_.push_back(std::get<Promise>(granted));
    held_[live_.back().epoch] = 0;
    return true;
  }

  // Something happens that the ledger is not told of. Foreigners only when wished.
  void happen(bool foreigners) {
    const int what = below(foreigners ? 6 : 5);
    if (what < 3 && !live_.empty()) {
      take_some(live_[static_cast<std::size_t>(below(static_cast<int>(live_.size())))]);
    } else if (what == 3 && !live_.empty()) {
      end(static_cast<std::size_t>(below(static_cast<int>(live_.size()))), true);
    } else if (what == 4) {
      pass(size(.01, .8));
    } else if (what == 5) {
      const Bytes wanted = gib(size(0, 3));
      foreign_ = below(2) == 0 ? 0 : foreign_ + std::min(wanted, std::max(Bytes{0}, free()));
    }
  }

  void renew() { ASSERT_TRUE(ledger_.renew(live_)->empty()); }

  // Its memory comes back; a process that dies can't say so.
  void end(std::size_t index, bool released) {
    const Promise promise = live_[index];
    held_.erase(promise.epoch);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(index));
    if (released) {
      ASSERT_TRUE(ledger_.release(promise));
    }
  }
  const std::vector<Promise>& live() const { return live_; }
  void make_resident(const std::string& model, Bytes bytes) { models_.push_back({model, bytes}); }

 private:
  void take_some(const Promise& promise) {
    Bytes resident = 0;
    for (const ResidentModel& model : models_) {
      if (promise.lane == Lane::kGenerate && model.model == promise.model) resident = model.bytes;
    }
    const Bytes most = std::max(Bytes{0}, promise.bytes - resident);
    held_[promise.epoch] =
        std::max(held_[promise.epoch], static_cast<Bytes>(size(0, 1) * static_cast<double>(most)));
  }

  std::mt19937 random_;
  testing_support::HandClock clock_;
  MemoryLedger ledger_;
  GpuState state_of_card_;
  Bytes foreign_ = 0;
  std::vector<ResidentModel> models_;
  std::map<std::int64_t, Bytes> held_;
  std::vector<Promise> live_;
  int tasks_ = 0;
};

}  // namespace pytoon::jobs::admission
