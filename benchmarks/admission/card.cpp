#include "benchmarks/admission/card.h"

#include <cstdio>

namespace pytoon::benchmark {
namespace {

// Zero would be "before all time" to code that knows no time yet.
constexpr std::int64_t kEpoch_us = 1'800'000'000'000'000;

std::string uuid_of(std::size_t index) {
  char text[16];
  std::snprintf(text, sizeof text, "GPU-%04zu", index);
  return text;
}

}  // namespace

WallTime wall_time(double seconds) {
  return WallTime(std::chrono::microseconds(kEpoch_us + std::llround(seconds * 1e6)));
}

Card::Card(std::size_t number, const GpuSpec& spec, const std::vector<Model>& models)
    : index(number),
      uuid(uuid_of(number)),
      total(spec.total_gib),
      dynamic(spec.dynamic),
      models_(models),
      phase_s_(std::fmod(static_cast<double>(number) * .037, kSamplePeriod_s)) {}

double Card::weights() const {
  double sum = 0;
  for (const Resident& one : cached) sum += one.gib;
  return sum;
}

double Card::resident(std::size_t model) const {
  for (const Resident& one : cached) {
    if (one.model == model) return one.gib;
  }
  return 0;
}

void Card::unload(std::size_t model) {
  std::erase_if(cached, [model](const Resident& one) { return one.model == model; });
}

void Card::load(std::size_t model, double gib) {
  unload(model);
  cached.push_back({model, gib});
}

void Card::evict(std::size_t keep, double wanted_free) {
  for (std::size_t i = 0; i < cached.size() && free() < wanted_free;) {
    if (cached[i].model == keep) {
      ++i;
    } else {
      cached.erase(cached.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

double Card::sample_time(double now_s) const {
  if (stall_from_s <= now_s && now_s < stall_to_s) now_s = stall_from_s;
  return std::floor((now_s - phase_s_) / kSamplePeriod_s) * kSamplePeriod_s + phase_s_;
}

void Card::touch(double now_s) {
  const double sampled_s = sample_time(now_s);
  if (changed_s_ <= sampled_s) {
    snapshot_ = current(sampled_s);
    has_snapshot_ = true;
  }
  changed_s_ = now_s;
}

adm::Sample Card::current(double now_s) const {
  adm::Sample sample;
  sample.at = wall_time(now_s);
  sample.total = bytes_of(total);
  sample.contexts = bytes_of(kContextsGib);
  sample.free = bytes_of(free());
  sample.foreign = bytes_of(foreign);
  for (const Task* task : segments) {
    sample.held.push_back({task->promise.epoch, bytes_of(task->held_gib)});
  }
  adm::EndpointSample& endpoint = sample.endpoint;
  using State = adm::EndpointSample::State;
  endpoint.state = down_until_s > now_s ? State::kDown : State::kIdle;
  endpoint.dynamic_vram = dynamic;
  endpoint.restartable = true;
  if (running != nullptr) {
    endpoint.state = State::kBusy;
    endpoint.running = running->promise.epoch;
    endpoint.working = bytes_of(extra);
  }
  endpoint.fill = bytes_of(fill);
  endpoint.residue = bytes_of(leak);
  for (const Resident& one : cached) {
    endpoint.models.push_back({models_[one.model].name, bytes_of(one.gib)});
  }
  return sample;
}

adm::Sample Card::sampled(double now_s) const {
  const double sampled_s = sample_time(now_s);
  adm::Sample sample = changed_s_ <= sampled_s || !has_snapshot_ ? current(sampled_s) : snapshot_;
  sample.at = wall_time(sampled_s);
  return sample;
}

}  // namespace pytoon::benchmark
