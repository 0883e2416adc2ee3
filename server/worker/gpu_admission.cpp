#include "server/worker/gpu_admission.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "server/worker/vram_exhausted.h"

namespace pytoon::worker {

using engines::ComfyServer;
using engines::Watch;
using jobs::admission::Bytes;
using jobs::admission::Decision;
using jobs::admission::EndpointReading;
using jobs::admission::GpuState;
using jobs::admission::Granted;
using jobs::admission::kMiB;
using jobs::admission::Lane;
using jobs::admission::Promise;
using jobs::admission::Published;
using jobs::admission::Reason;
using jobs::admission::Request;
using jobs::admission::Sample;
using jobs::admission::ViolationCause;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kEndpointLimit{1000};
constexpr milliseconds kFreeLimit{5000};
constexpr milliseconds kRenderLook{250};
// Two cards that differ by less can't be told apart by what an endpoint says of its own.
constexpr Bytes kCardGrain = 512 * kMiB;
// What ComfyUI has after its models were freed, more than custom nodes usually keep.
constexpr Bytes kMuchResidue = 1024 * kMiB;
constexpr int kRoomsWithResidue = 2;

Bytes distance(const gpu::GpuReading& gpu, const ComfyServer::Memory& memory) {
  return std::abs(static_cast<Bytes>(gpu.total_bytes) - memory.total_bytes) +
         std::abs(static_cast<Bytes>(gpu.free_bytes) - memory.free_bytes);
}

// Gives by how much each changed.
std::map<std::string, Bytes> keep_lower_free(std::vector<gpu::GpuReading>& gpus,
                                             const std::vector<gpu::GpuReading>& then) {
  std::map<std::string, Bytes> moved;
  for (gpu::GpuReading& gpu : gpus) {
    for (const gpu::GpuReading& other : then) {
      if (other.uuid != gpu.uuid) continue;
      const auto [low, high] = std::minmax(gpu.free_bytes, other.free_bytes);
      moved[gpu.uuid] = static_cast<Bytes>(high - low);
      gpu.free_bytes = low;
    }
  }
  return moved;
}

std::function<Status(const std::string&, const Watch&)> freeing(std::vector<ComfyServer*> servers,
                                                                const Clock& clock) {
  return [servers = std::move(servers), &clock](const std::string& origin, const Watch& watch) {
    Watch limited = watch;
    limited.deadline = std::min(watch.deadline, clock.steady_now() + kFreeLimit);
    for (ComfyServer* const server : servers) {
      if (server->base().origin == origin) return server->free_memory(limited);
    }
    return Status(failure(FailureKind::kNotFound, "no such endpoint"));
  };
}

// An endpoint does not say which card it is on, but how large it is and how full. "" when it is on
// none of these, or can't be told from another one.
std::string card_of(const ComfyServer::Memory& memory, const std::vector<gpu::GpuReading>& gpus) {
  if (!memory.cuda) return "";
  std::vector<std::pair<Bytes, const gpu::GpuReading*>> near;
  for (const gpu::GpuReading& gpu : gpus) {
    const Bytes total = static_cast<Bytes>(gpu.total_bytes);
    if (std::abs(total - memory.total_bytes) > total / 16) continue;
    near.emplace_back(distance(gpu, memory), &gpu);
  }
  std::sort(near.begin(), near.end());
  const bool clear =
      near.size() == 1 || (near.size() > 1 && near[1].first - near[0].first > kCardGrain);
  return clear ? near[0].second->uuid : "";
}

}  // namespace

GpuAdmission::GpuAdmission(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(options),
      promises_(parts_.ledger, parts_.log, parts_.worker_id, parts_.card),
      dispatcher_({parts_.ledger, parts_.profiles, parts_.generations, promises_, parts_.metrics,
                   parts_.clock, parts_.log, freeing(parts_.servers, parts_.clock)},
                  options.controller, options.card_patience) {
  for (ComfyServer* const server : parts_.servers)
    endpoints_.push_back({server, "", false, false, {}});
}

void GpuAdmission::start() {
  tick();
  thread_ = std::thread([this] { run(); });
}

void GpuAdmission::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  told_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GpuAdmission::run() {
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, options_.controller.sample_period, [this] { return stopping_; })) {
    lock.unlock();
    try {
      tick();
    } catch (const std::exception& error) {
      parts_.log.error("gpu_admission_failed", {{"what", error.what()}});
    }
    lock.lock();
  }
}

void GpuAdmission::tick() {
  const SteadyTime now = parts_.clock.steady_now();
  if (now >= renew_at_) {
    promises_.renew();
    expire();
    renew_at_ = now + options_.controller.ledger.lease / 3;
  }
  const Result<WallTime> at = parts_.ledger.now();
  Result<std::vector<gpu::GpuReading>> gpus =
      at ? parts_.reader->read() : Result<std::vector<gpu::GpuReading>>(at.failure());
  std::map<std::string, Bytes> moved;
  if (gpus && !endpoints_.empty()) {
    ask_endpoints();
    const auto then = parts_.reader->read();
    if (then) moved = keep_lower_free(*gpus, *then);
  }
  const std::string fault = gpus ? "" : gpus.failure().detail;
  if (fault != fault_ && !fault.empty()) {
    parts_.log.warning("gpu_not_sampled", {{"reason", fault}});
  }
  fault_ = fault;
  uses_.clear();
  if (gpus) {
    find_cards(*gpus);
    for (const gpu::GpuReading& reading : *gpus) {
      if (reading.fault.empty()) publish(reading, moved[reading.uuid], *at);
    }
  }
  parts_.metrics.gpus_sampled(uses_);
  dispatcher_.look();
}

void GpuAdmission::ask_endpoints() {
  for (EndpointState& endpoint : endpoints_) {
    Watch watch;
    watch.deadline = parts_.clock.steady_now() + kEndpointLimit;
    const Result<int> queued = endpoint.server->queue_length(watch);
    const auto memory =
        queued ? endpoint.server->memory(watch) : Result<ComfyServer::Memory>(queued.failure());
    endpoint.answers = memory.ok();
    endpoint.busy = queued && *queued > 0;
    if (memory) endpoint.memory = *memory;
  }
}

// An answer is told once and whole: whoever waits for it goes on at that moment.
void GpuAdmission::find_cards(const std::vector<gpu::GpuReading>& gpus) {
  for (EndpointState& endpoint : endpoints_) {
    if (!endpoint.gpu.empty() || !endpoint.answers) continue;
    endpoint.gpu = card_of(endpoint.memory, gpus);
    dispatcher_.set_card(endpoint.server->base().origin, endpoint.gpu);
    if (endpoint.gpu.empty()) continue;
    parts_.log.info("comfyui_card_found", {{"endpoint", endpoint.server->base().origin},
                                           {"gpu", endpoint.gpu},
                                           {"dynamic_vram", endpoint.memory.dynamic_vram}});
  }
}

void GpuAdmission::publish(const gpu::GpuReading& driver, Bytes moved, WallTime at) {
  const Result<GpuState> known = parts_.ledger.state(driver.uuid);
  GpuState before = known ? *known : GpuState{};
  before.uuid = driver.uuid;
  CardReading reading;
  reading.driver = driver;
  reading.moved = moved;
  reading.sessions_max = options_.encoder_sessions_max;
  reading.pid = static_cast<std::uint32_t>(::getpid());
  reading.ours = parts_.card.device != nullptr && parts_.card.gpu == driver.uuid;
  if (reading.ours) {
    reading.reserved = static_cast<Bytes>(parts_.card.device->reserved_bytes());
    reading.held = promises_.held();
  }
  EndpointReading endpoint;
  for (const EndpointState& one : endpoints_) {
    if (one.gpu != driver.uuid) continue;
    reading.has_endpoint = true;
    if (one.answers) reading.endpoint = one.memory;
    endpoint.answers = one.answers;
    endpoint.busy = one.busy;
    endpoint.dynamic_vram = one.memory.dynamic_vram;
  }
  endpoint.bytes = endpoint_bytes(reading, before);
  endpoint.freed = dispatcher_.measures_room(driver.uuid, at, endpoint.bytes);
  Sample sample = sample_of(reading, before, at);
  if (reading.has_endpoint) {
    sample.endpoint = observe_endpoint(
        before, endpoint,
        [this](const std::string& model) { return dispatcher_.weights_of(model); }, at);
  }
  const Result<Published> published = parts_.ledger.publish(driver.uuid, sample);
  if (published) {
    if (endpoint.freed) {
      dispatcher_.room_measured(driver.uuid);
      note_residue(driver.uuid, sample.endpoint.residue);
    }
    tell(driver.uuid, *published);
  }
  // Or another process was faster: its sample is as good.
  const Result<GpuState> state = parts_.ledger.state(driver.uuid);
  if (!state) return;
  uses_.push_back(use_of(*state, options_.controller.ledger, at));
  dispatcher_.sampled(*state);
}

// Once may be a prompt's last tensors. Told at each time from the second on: it only grows.
void GpuAdmission::note_residue(const std::string& gpu, Bytes residue) {
  int& kept = kept_[gpu];
  kept = residue >= kMuchResidue ? kept + 1 : 0;
  if (kept < kRoomsWithResidue) return;
  for (const EndpointState& endpoint : endpoints_) {
    if (endpoint.gpu != gpu) continue;
    parts_.log.warning("comfyui_keeps_memory",
                       {{"endpoint", endpoint.server->base().origin},
                        {"gpu", gpu},
                        {"residue_bytes", residue},
                        {"rooms", kept},
                        {"advice", "restart this ComfyUI: what it keeps is promised to nobody"}});
  }
}

void GpuAdmission::tell(const std::string& gpu, const Published& published) {
  if (published.headroom_use_began) parts_.metrics.headroom_used();
  if (!published.violation_began) return;
  const ViolationCause cause = published.balance.cause;
  parts_.metrics.admission_violation(cause);
  parts_.log.warning("gpu_memory_overcommitted",
                     {{"gpu", gpu},
                      {"slack_bytes", published.balance.slack},
                      {"cause", cause == ViolationCause::kOurs ? "ours" : "foreign"}});
}

void GpuAdmission::expire() {
  const Result<std::vector<Promise>> expired = parts_.ledger.expire();
  if (!expired) return;
  for (const Promise& promise : *expired) {
    parts_.log.warning("gpu_promise_expired", {{"gpu", promise.gpu},
                                               {"task", promise.task},
                                               {"worker", promise.worker_id},
                                               {"bytes", promise.bytes}});
  }
}

Result<std::optional<Promise>> GpuAdmission::promise_for(const Request& request,
                                                         const std::function<void()>& lost) {
  const Result<Granted> granted = promises_.promise(wish_of(promises_.gpu(), request), lost);
  if (!granted) return granted.failure();
  const auto* const promise = std::get_if<Promise>(&*granted);
  return promise == nullptr ? std::nullopt : std::optional(*promise);
}

Request GpuAdmission::ours(const Request& request) const {
  Request made = request;
  made.worker_id = parts_.worker_id;
  made.segments_max = segments_at_once(options_.render_threads, request.cost);
  return made;
}

Result<Decision> GpuAdmission::judge(const Request& request) {
  const Result<GpuState> state = parts_.ledger.state(promises_.gpu());
  const Result<WallTime> now = parts_.ledger.now();
  if (!now) return now.failure();
  GpuState unknown;
  unknown.uuid = promises_.gpu();
  return decide_render(state ? *state : unknown, request, options_.controller, *now);
}

// Where the ledger does not answer, the GPU: its own wait will tell.
Decision GpuAdmission::choose_compositor(const Request& asked, int segments, const Others& others) {
  const Request segment = ours(asked);
  const auto states = parts_.ledger.states();
  const Result<WallTime> now = parts_.ledger.now();
  Decision on_gpu;
  on_gpu.kind = Decision::Kind::kRun;
  if (!states || !now) return on_gpu;
  jobs::admission::RenderLoad load;
  load.segments = segments;
  load.free_cores = others.free_cores;
  load.gpu_threads = std::max(options_.render_threads, others.gpu_threads);
  load.queue.queued = segment.cost.duration * others.waiting;
  jobs::admission::CardSizes sizes;
  const GpuState* own = nullptr;
  for (const GpuState& state : *states) {
    if (!is_fresh(state.sample, *now, options_.card_patience)) continue;
    ++load.queue.cards;
    sizes.add(usable_bytes(state.sample));
    if (state.uuid == promises_.gpu()) own = &state;
  }
  if (own == nullptr) return on_gpu;
  load.memory_wait =
      memory_wait(*own, segment, options_.render_patience, options_.controller, *now);
  const Decision decision = decide_compositor(segment, load, sizes, options_.controller);
  if (decision.kind == Decision::Kind::kRun) return decision;
  parts_.metrics.admission_decided(Lane::kRender, decision.kind, decision.reason);
  // With the card's sizes, as every reason.
  Decision said = decide_render(*own, segment, options_.controller, *now);
  said.kind = decision.kind;
  said.lane = decision.lane;
  said.reason = decision.reason;
  return said;
}

Result<std::unique_ptr<RenderTurn>> GpuAdmission::wait_render(
    const Request& asked, const CancelToken& cancel,
    const std::function<void(const std::string&)>& waiting, const std::function<void()>& lost) {
  const Request request = ours(asked);
  const SteadyTime began = parts_.clock.steady_now();
  SteadyTime short_since = began;  // of memory
  std::optional<Reason> counted;
  for (;;) {
    if (cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
    const Result<Decision> decision = judge(request);
    if (!decision) return decision.failure();
    if (std::exchange(counted, decision->reason) != decision->reason) {
      parts_.metrics.admission_decided(Lane::kRender, decision->kind, decision->reason);
    }
    if (decision->kind == Decision::Kind::kRun) {
      const Result<std::optional<Promise>> promise = promise_for(request, lost);
      if (!promise) return promise.failure();
      if (!*promise) continue;  // somebody was faster
      const std::chrono::duration<double> waited = parts_.clock.steady_now() - began;
      parts_.metrics.admission_waited(Lane::kRender, waited.count());
      waiting("");
      return std::make_unique<RenderTurn>(promises_, **promise);
    }
    const SteadyTime look = parts_.clock.steady_now();
    if (decision->reason == Reason::kSlots) short_since = look;
    if (decision->kind != Decision::Kind::kWait || look - short_since >= options_.render_patience) {
      return vram_exhausted(*decision);
    }
    waiting(sentence(*decision));
    parts_.clock.sleep_for(kRenderLook);
  }
}

}  // namespace pytoon::worker
