// Cards, tasks and promises that the tests of admission control start from: an idle 24 GiB card
// with a ComfyUI that has nothing loaded, sampled this instant.
#pragma once

#include <string>

#include "server/jobs/admission/controller.h"

namespace pytoon::jobs::admission {

inline const WallTime kNow{std::chrono::hours(500'000)};
inline constexpr const char* kWorker = "worker-1";
inline constexpr Bytes kContexts = 1 * kGiB;

constexpr Bytes gib(double value) { return static_cast<Bytes>(value * static_cast<double>(kGiB)); }
constexpr std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

inline GpuState idle_card(double total_gib = 24) {
  GpuState state;
  state.uuid = "GPU-A";
  state.sample.at = kNow;
  state.sample.total = gib(total_gib);
  state.sample.contexts = kContexts;
  state.sample.free = state.sample.total - kContexts;
  state.sample.endpoint.state = EndpointSample::State::kIdle;
  return state;
}

// Puts a model's weights onto the card.
inline void load(GpuState& state, const std::string& model, double size_gib) {
  state.sample.endpoint.models.push_back({model, gib(size_gib)});
  state.sample.free -= gib(size_gib);
}

// A program that is not ours takes memory.
inline void take_foreign(GpuState& state, double size_gib) {
  state.sample.foreign += gib(size_gib);
  state.sample.free -= gib(size_gib);
}

inline Promise& promise_segment(GpuState& state, double size_gib, double held_gib = 0,
                                double ends_s = 5) {
  Promise promise;
  promise.epoch = static_cast<std::int64_t>(state.promises.size()) + 1;
  promise.gpu = state.uuid;
  promise.worker_id = kWorker;
  promise.task = "segment-" + std::to_string(promise.epoch);
  promise.lane = Lane::kRender;
  promise.bytes = gib(size_gib);
  promise.given_at = kNow - seconds(1);
  promise.ends_at = kNow + seconds(ends_s);
  promise.expires_at = kNow + seconds(15);
  if (held_gib > 0) {
    state.sample.held.push_back({promise.epoch, gib(held_gib)});
    state.sample.free -= gib(held_gib);
  }
  state.promises.push_back(promise);
  return state.promises.back();
}

inline Promise& promise_prompt(GpuState& state, const std::string& model, double size_gib) {
  Promise& promise = promise_segment(state, size_gib);
  promise.task = "prompt-" + std::to_string(promise.epoch);
  promise.lane = Lane::kGenerate;
  promise.model = model;
  return promise;
}

// weights 8, full peak 13, tiled 10: known by many runs.
inline Request generation(const std::string& task = "g1", const std::string& model = "ltx",
                          double weights = 8, double full = 13, double tiled = 10) {
  Request request;
  request.task = task;
  request.lane = Lane::kGenerate;
  request.waiting_since = kNow - seconds(1);
  request.demand.model = model;
  request.demand.weights = gib(weights);
  request.demand.paged_weights = gib(.6 * weights);
  request.demand.peak[0] = gib(full);
  request.demand.peak[1] = gib(tiled);
  request.demand.peak[2] = gib(tiled - .4 * weights);
  request.demand.structural = gib(tiled);
  request.demand.load = seconds(14);
  request.demand.run = seconds(60);
  return request;
}

inline Request segment(double size_gib = .5, double duration_s = 4) {
  Request request;
  request.task = "s1";
  request.lane = Lane::kRender;
  request.waiting_since = kNow;
  request.cost.frames_in_flight = gib(size_gib);
  request.cost.duration = seconds(duration_s);
  request.worker_id = kWorker;
  request.segments_max = 4;
  return request;
}

inline CardSizes one_size(const GpuState& state) { return {{usable_bytes(state.sample)}}; }

}  // namespace pytoon::jobs::admission
