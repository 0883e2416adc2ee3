#include "benchmarks/gpu/card/card_watch.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "gpu/cuda/cuda.h"
#include "gpu/nvml/nvml.h"
#include "server/jobs/admission/gpu_use.h"

namespace pytoon::bench {

using jobs::admission::Bytes;
using jobs::admission::EndpointSample;
using jobs::admission::GpuState;
using jobs::admission::HeldMemory;
using jobs::admission::kMiB;
using jobs::admission::Lane;
using jobs::admission::Promise;
using jobs::admission::ResidentModel;
using jobs::admission::Sample;

namespace {

constexpr Bytes kGrain = 2 * kMiB;  // CUDA's granule
constexpr Bytes kHeadroom = static_cast<Bytes>(gpu::kHeadroomBytes);

std::vector<Promise> living(const GpuState& state) {
  std::vector<Promise> found;
  std::copy_if(state.promises.begin(), state.promises.end(), std::back_inserter(found),
               [](const Promise& promise) { return !promise.released_at; });
  return found;
}

std::set<std::int64_t> epochs_of(const GpuState& state) {
  std::set<std::int64_t> epochs;
  for (const Promise& promise : living(state)) epochs.insert(promise.epoch);
  return epochs;
}

// What the holder of a promise has taken of it, by the card's last sample.
Bytes held_by_sample(const Promise& promise, const Sample& sample) {
  Bytes held = 0;
  if (promise.lane != Lane::kGenerate) {
    for (const HeldMemory& one : sample.held) held += one.epoch == promise.epoch ? one.bytes : 0;
    return std::min(promise.bytes, held);
  }
  const EndpointSample& endpoint = sample.endpoint;
  for (const ResidentModel& one : endpoint.models)
    held += one.model == promise.model ? one.bytes : 0;
  held += endpoint.fill + (endpoint.running == promise.epoch ? endpoint.working : 0);
  return std::min(promise.bytes, held);
}

// Only the sampler has asked ComfyUI what it holds: free memory of another instant does not fit.
Look look_of_sample(const GpuState& state) {
  Look look{.free = state.sample.free, .foreign = state.sample.foreign};
  for (const Promise& promise : living(state)) {
    look.promised += promise.bytes;
    look.held += held_by_sample(promise, state.sample);
  }
  return look;
}

Look look_of_reading(const GpuState& state, const gpu::GpuReading& reading, Bytes reserved,
                     Bytes cache_bytes) {
  Look look{.free = static_cast<Bytes>(reading.free_bytes)};
  for (const Promise& promise : living(state)) look.promised += promise.bytes;
  look.held = std::max(Bytes{0}, reserved - cache_bytes);
  look.foreign = static_cast<Bytes>(reading.total_bytes) - look.free - reserved -
                 state.sample.contexts - endpoint_total(state.sample.endpoint);
  return look;
}

}  // namespace

Result<OwnCard> find_card(const gpu::Device& device) {
  const auto handles = device.cuda_handles();
  if (!handles) return failure(FailureKind::kNotFound, "no GPU: frames are composed on the CPU");
  auto by_cuda = gpu::open_cuda_reader(handles->ordinal);
  if (!by_cuda) return by_cuda.failure();
  const auto own = (*by_cuda)->read();
  if (!own || own->empty()) return failure(FailureKind::kUnavailable, "the card can't be read");
  OwnCard card{std::move(*by_cuda), own->front().uuid};
  auto nvml = gpu::open_nvml();
  const auto all = nvml ? (*nvml)->read() : Result<std::vector<gpu::GpuReading>>(nvml.failure());
  if (!all) return card;
  for (const gpu::GpuReading& gpu : *all) {
    if (!gpu.uuid.ends_with(card.uuid.substr(std::min<std::size_t>(4, card.uuid.size())))) continue;
    return OwnCard{std::move(*nvml), gpu.uuid};
  }
  return card;
}

Result<gpu::GpuReading> read_card(OwnCard& card) {
  const auto all = card.reader->read();
  if (!all) return all.failure();
  for (const gpu::GpuReading& gpu : *all) {
    if (gpu.uuid == card.uuid) return gpu;
  }
  return failure(FailureKind::kUnavailable, "the card is gone");
}

Verdict verdict_of(const Look& look) {
  const Bytes slack = look.free - std::max(Bytes{0}, look.promised - look.held);
  if (slack >= kHeadroom) return Verdict::kHolds;
  if (slack >= -kGrain) return Verdict::kHeadroomUsed;
  const Bytes grown = std::max(Bytes{0}, look.foreign - look.foreign_before);
  return slack + grown >= -kGrain ? Verdict::kForeign : Verdict::kOurs;
}

Repeater::Repeater(std::chrono::milliseconds period, std::function<void()> look)
    : thread_([this, period, look = std::move(look)] {
        std::unique_lock lock(mutex_);
        do {
          lock.unlock();
          look();
          lock.lock();
        } while (!told_.wait_for(lock, period, [this] { return stopping_; }));
      }) {}

Repeater::~Repeater() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  told_.notify_all();
  thread_.join();
}

void look_at(OwnCard& card, const gpu::Device& device, jobs::admission::PromiseLedger& ledger,
             Bytes cache_bytes, LookCounts& counts) {
  const Result<GpuState> before = ledger.state(card.uuid);
  const auto reserved = static_cast<Bytes>(device.reserved_bytes());
  const Result<gpu::GpuReading> reading = read_card(card);
  const auto reserved_then = static_cast<Bytes>(device.reserved_bytes());
  const Result<GpuState> state = ledger.state(card.uuid);
  if (!before || !reading || !state) return;
  const auto free = static_cast<Bytes>(reading->free_bytes);
  counts.lowest_free = counts.looks == 0 ? free : std::min(counts.lowest_free, free);
  ++counts.looks;
  if (reserved != reserved_then || epochs_of(*before) != epochs_of(*state)) {
    ++counts.unsettled;
    return;
  }
  const std::vector<Promise> promises = living(*state);
  const bool prompts = std::any_of(promises.begin(), promises.end(), [](const Promise& promise) {
    return promise.lane == Lane::kGenerate;
  });
  Look look =
      prompts ? look_of_sample(*state) : look_of_reading(*state, *reading, reserved, cache_bytes);
  look.foreign_before = state->foreign_at_last_promise;
  counts.with_prompts += prompts ? 1 : 0;
  counts.with_promises += look.promised > 0 ? 1 : 0;
  switch (verdict_of(look)) {
    case Verdict::kHolds:
      break;
    case Verdict::kHeadroomUsed:
      ++counts.headroom_used;
      break;
    case Verdict::kOurs:
      ++counts.violations_ours;
      break;
    case Verdict::kForeign:
      ++counts.violations_foreign;
      break;
  }
}

}  // namespace pytoon::bench
