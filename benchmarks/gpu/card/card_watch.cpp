#include "benchmarks/gpu/card/card_watch.h"

#include <algorithm>
#include <set>

#include "gpu/cuda/cuda.h"
#include "gpu/nvml/nvml.h"

namespace pytoon::bench {

using jobs::admission::Bytes;
using jobs::admission::GpuState;
using jobs::admission::kMiB;
using jobs::admission::Promise;

namespace {

constexpr Bytes kGrain = 2 * kMiB;  // CUDA's granule
constexpr Bytes kHeadroom = static_cast<Bytes>(gpu::kHeadroomBytes);

std::set<std::int64_t> live(const GpuState& state) {
  std::set<std::int64_t> epochs;
  for (const Promise& promise : state.promises) {
    if (!promise.released_at) epochs.insert(promise.epoch);
  }
  return epochs;
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
  if (reserved != reserved_then || live(*before) != live(*state)) {
    ++counts.unsettled;
    return;
  }
  Look look;
  look.free = free;
  for (const Promise& promise : state->promises) {
    if (!promise.released_at) look.promised += promise.bytes;
  }
  look.held = std::max(Bytes{0}, reserved - cache_bytes);
  look.foreign =
      static_cast<Bytes>(reading->total_bytes) - free - reserved - state->sample.contexts;
  look.foreign_before = state->foreign_at_last_promise;
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
