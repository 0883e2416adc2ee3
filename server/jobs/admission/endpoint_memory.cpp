#include "server/jobs/admission/endpoint_memory.h"

#include <algorithm>

#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::jobs::admission {
namespace {

const Promise* running_prompt(const GpuState& state, WallTime at) {
  for (const Promise& promise : state.promises) {
    if (promise.lane == Lane::kGenerate && !ended_at(promise, at)) return &promise;
  }
  return nullptr;
}

// The model of the promise first: the newest used.
void put_first(std::vector<ResidentModel>& models, const std::string& model) {
  const auto known = std::find_if(models.begin(), models.end(),
                                  [&](const ResidentModel& one) { return one.model == model; });
  if (known == models.end()) {
    models.insert(models.begin(), ResidentModel{model, 0});
  } else {
    std::rotate(models.begin(), known, known + 1);
  }
}

Bytes take(Bytes wanted, Bytes& left) {
  const Bytes taken = std::clamp(wanted, Bytes{0}, left);
  left -= taken;
  return taken;
}

}  // namespace

EndpointSample observe_endpoint(const GpuState& before, const EndpointReading& reading,
                                const WeightsOf& weights_of, WallTime at) {
  const EndpointSample& last = before.sample.endpoint;
  EndpointSample now;
  now.dynamic_vram = reading.dynamic_vram;
  now.restartable = last.restartable;
  const Promise* const prompt = running_prompt(before, at);
  const bool busy = reading.busy || prompt != nullptr;
  now.state = busy ? EndpointSample::State::kBusy : EndpointSample::State::kIdle;
  if (!reading.answers) now.state = EndpointSample::State::kDown;
  Bytes left = reading.bytes;
  if (reading.freed && prompt == nullptr) {
    now.residue = left;
    return now;
  }
  now.residue = take(last.residue, left);
  now.models = last.models;
  if (prompt != nullptr) {
    put_first(now.models, prompt->model);
    for (std::size_t i = 1; i < now.models.size(); ++i) {
      now.models[i].bytes = take(now.models[i].bytes, left);
    }
    now.models[0].bytes = take(weights_of(prompt->model), left);
    now.running = prompt->epoch;
    now.working = left;
  } else {
    for (std::size_t i = 0; i < now.models.size(); ++i) {
      const Bytes weights = i == 0 ? std::max(weights_of(now.models[i].model), now.models[i].bytes)
                                   : now.models[i].bytes;
      now.models[i].bytes = take(weights, left);
    }
    now.fill = left;
  }
  std::erase_if(now.models, [](const ResidentModel& one) { return one.bytes == 0; });
  return now;
}

}  // namespace pytoon::jobs::admission
