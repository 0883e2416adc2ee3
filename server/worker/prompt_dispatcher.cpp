#include "server/worker/prompt_dispatcher.h"

#include <algorithm>
#include <utility>

#include "server/worker/vram_exhausted.h"
#include "server/worker/workflow_profile.h"

namespace pytoon::worker {

using engines::PromptEnd;
using engines::PromptTurn;
using engines::PromptWish;
using engines::Watch;
using jobs::admission::Bytes;
using jobs::admission::CardQueue;
using jobs::admission::CardSizes;
using jobs::admission::Decision;
using jobs::admission::Demand;
using jobs::admission::EnginePolicy;
using jobs::admission::GpuState;
using jobs::admission::Granted;
using jobs::admission::Lane;
using jobs::admission::Observation;
using jobs::admission::Profile;
using jobs::admission::Promise;
using jobs::admission::QueuedGeneration;
using jobs::admission::Reason;
using jobs::admission::Refusal;
using jobs::admission::Request;
using jobs::admission::Shape;
using jobs::admission::Wish;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kLook{100};            // for a cancel, while waiting
constexpr milliseconds kSpillInterval{6000};  // between two looks at what waiting costs
constexpr int kTries = 3;                     // for a promise that others take first
constexpr milliseconds kCardsKnown{10'000};   // that an endpoint's card is looked for

CardSizes sizes_of(const std::map<std::string, GpuState>& states) {
  CardSizes sizes;
  for (const auto& [uuid, state] : states) {
    if (state.sample.total > 0) sizes.add(usable_bytes(state.sample));
  }
  return sizes;
}

// Promises of other processes end without a word to us.
bool forgotten(std::int64_t epoch, const GpuState& state) {
  return epoch != state.sample.endpoint.running &&
         std::none_of(state.promises.begin(), state.promises.end(),
                      [epoch](const Promise& promise) { return promise.epoch == epoch; });
}

}  // namespace

// A promise that is kept until the prompt has ended, and what is learned of it then.
class PromptDispatcher::Turn final : public PromptTurn {
 public:
  // dispatcher is null where there was nothing to promise.
  Turn(PromptDispatcher* dispatcher, std::string endpoint, Profile prior, Promise promise,
       Shape shape)
      : dispatcher_(dispatcher),
        endpoint_(std::move(endpoint)),
        prior_(std::move(prior)),
        promise_(std::move(promise)),
        shape_(shape) {}
  ~Turn() override {
    if (dispatcher_ != nullptr) dispatcher_->parts_.promises.release(promise_);
  }

  const std::string& endpoint() const override { return endpoint_; }
  bool tiled() const override { return shape_ != Shape::kFull; }
  void ended(PromptEnd end) override {
    if (dispatcher_ != nullptr) dispatcher_->learn(prior_, promise_, shape_, end);
  }

 private:
  PromptDispatcher* const dispatcher_;
  const std::string endpoint_;
  const Profile prior_;
  const Promise promise_;
  const Shape shape_;
};

void PromptDispatcher::set_card(const std::string& endpoint, const std::string& gpu) {
  const std::lock_guard lock(mutex_);
  cards_[endpoint] = gpu;
  decided_.notify_all();
}

void PromptDispatcher::know(const engines::WorkflowPrior& prior) {
  const std::lock_guard lock(mutex_);
  weights_[prior.model] = prior.weights_bytes;
}

void PromptDispatcher::sampled(const GpuState& state) {
  const std::lock_guard lock(mutex_);
  states_[state.uuid] = state;
  auto& peaks = peaks_[state.uuid];
  std::erase_if(peaks, [&](const auto& peak) { return forgotten(peak.first, state); });
  const auto& endpoint = state.sample.endpoint;
  if (endpoint.running != 0) {
    Bytes& peak = peaks[endpoint.running];
    peak = std::max(peak, endpoint.working);
  }
  decide(state.uuid);
}

void PromptDispatcher::look() {
  const std::lock_guard lock(mutex_);
  const Result<WallTime> now = parts_.ledger.now();
  if (!now) return;
  for (auto& [gpu, state] : states_) {
    if (is_fresh(state.sample, *now, options_.ledger.sample_age_max)) continue;
    const Result<GpuState> known = parts_.ledger.state(gpu);
    if (known) state = *known;
    decide(gpu);
  }
  leave_silent_cards(*now);
}

// Those whose cards are all silent for too long, be it that they are lost or that nobody is left
// who measures them.
void PromptDispatcher::leave_silent_cards(WallTime now) {
  for (Waiting& one : waiting_) {
    const bool silent = std::all_of(one.gpus.begin(), one.gpus.end(), [&](const std::string& gpu) {
      const auto state = states_.find(gpu);
      const WallTime measured =
          state == states_.end() ? one.wish.waiting_since : state->second.sample.at;
      return now - measured >= card_patience_;
    });
    if (one.state != Waiting::State::kWaits || !silent) continue;
    one.decision.reason = Reason::kStaleSample;
    one.decision.gpu = *one.gpus.begin();
    one.decision.need = one.known.weights + one.known.prior_tiled;
    one.state = Waiting::State::kLeaves;
    decided_.notify_all();
  }
}

bool PromptDispatcher::measures_room(const std::string& gpu, WallTime at, Bytes bytes) const {
  const std::lock_guard lock(mutex_);
  const auto room = rooms_.find(gpu);
  if (room == rooms_.end() || !room->second.replied_at) return false;
  if (at <= *room->second.replied_at) return false;
  return bytes <= room->second.before / 2 || at - *room->second.replied_at >= options_.room_timeout;
}

void PromptDispatcher::room_measured(const std::string& gpu) {
  {
    const std::lock_guard lock(mutex_);
    rooms_.erase(gpu);
  }
  const Status ended = parts_.ledger.end_room(gpu);
  if (!ended) parts_.log.warning("gpu_room_not_ended", {{"reason", ended.failure().detail}});
}

Bytes PromptDispatcher::weights_of(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  const auto known = weights_.find(model);
  return known == weights_.end() ? 0 : known->second;
}

Profile PromptDispatcher::prior_of(const PromptWish& wish) {
  return profile_of(wish.workflow, wish.prior);
}

Request PromptDispatcher::request_of(const PromptWish& wish) {
  Request request;
  request.task = wish.task;
  request.lane = Lane::kGenerate;
  request.waiting_since = wish.waiting_since;
  request.priority = wish.priority;
  request.policy = wish.may_leave ? EnginePolicy::kLocalPreferred : EnginePolicy::kLocalOnly;
  if (wish.may_leave) request.offer = {wish.micro_usd, wish.latency};
  return request;
}

QueuedGeneration PromptDispatcher::queued(const Waiting& one) {
  return {one.wish.task, one.wish.priority, one.wish.waiting_since, one.known.run};
}

// Of each workflow the one that waits longest: the others wait behind it.
std::vector<PromptDispatcher::Waiting*> PromptDispatcher::heads_for(const std::string& gpu) {
  std::map<std::string, Waiting*> oldest;
  for (Waiting& one : waiting_) {
    if (one.state != Waiting::State::kWaits || !one.gpus.contains(gpu)) continue;
    Waiting*& head = oldest[one.wish.workflow];
    if (head == nullptr || one.request.waiting_since < head->request.waiting_since) head = &one;
  }
  std::vector<Waiting*> heads;
  for (const auto& [workflow, head] : oldest) heads.push_back(head);
  return heads;
}

void PromptDispatcher::decide(const std::string& gpu) {
  for (int tries = 0; tries < kTries; ++tries) {
    const std::vector<Waiting*> heads = heads_for(gpu);
    if (heads.empty()) return;
    const Result<GpuState> state = parts_.ledger.state(gpu);
    const Result<WallTime> now = parts_.ledger.now();
    if (!state || !now) return;  // the next sample brings the next decision
    const CardSizes cards = sizes_of(states_);
    std::vector<Request> requests;
    for (Waiting* const head : heads) {
      head->request.demand = demand_of(head->known, largest_promise(cards, options_), {});
      requests.push_back(head->request);
    }
    const auto decided = decide_generation(*state, requests, cards, options_, *now);
    tell_those_behind(gpu, heads, decided.decision);
    if (decided.head == heads.size()) {
      // It is about the endpoint: each is told so, with what it needs itself.
      for (Waiting* const head : heads) {
        Decision decision = decided.decision;
        decision.need = head->request.demand.peak[static_cast<int>(Shape::kTiled)];
        note(*head, decision);
      }
      return;
    }
    Waiting& head = *heads[decided.head];
    note(head, decided.decision);
    if (carry_out(gpu, head, decided.decision)) return;
  }
}

// With the card's sizes, and what each needs itself.
void PromptDispatcher::tell_those_behind(const std::string& gpu, const std::vector<Waiting*>& heads,
                                         const Decision& facts) {
  for (Waiting& one : waiting_) {
    if (one.state != Waiting::State::kWaits || !one.gpus.contains(gpu)) continue;
    if (std::ranges::find(heads, &one) != heads.end()) continue;
    Decision behind = facts;
    behind.kind = Decision::Kind::kWait;
    behind.reason = Reason::kQueued;
    behind.need = one.known.weights + one.known.prior_tiled;
    note(one, behind);
  }
}

// False: somebody else was faster, and all must be judged anew.
bool PromptDispatcher::carry_out(const std::string& gpu, Waiting& head, const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::kRun:
      return start(gpu, head, decision);
    case Decision::Kind::kMakeRoom:
      if (!parts_.ledger.begin_room(gpu, head.request.task, options_.room_interval)) return true;
      rooms_[gpu] = {decision.comfyui, std::nullopt};
      head.state = Waiting::State::kMakesRoom;
      decided_.notify_all();
      return true;
    case Decision::Kind::kElsewhere:
    case Decision::Kind::kNever:
      head.state = Waiting::State::kLeaves;
      decided_.notify_all();
      return true;
    case Decision::Kind::kWait:
      break;
  }
  if (!decision.reserve) return true;
  const Status reserved =
      parts_.ledger.reserve(gpu, head.request.task, decision.need, options_.reservation);
  if (reserved) head.request.reserved_on = gpu;
  return true;
}

bool PromptDispatcher::start(const std::string& gpu, Waiting& head, const Decision& decision) {
  Wish wish;
  wish.gpu = gpu;
  wish.task = head.request.task;
  wish.lane = Lane::kGenerate;
  wish.bytes = decision.promise;
  wish.model = head.request.demand.model;
  wish.duration = head.request.demand.load + head.request.demand.run;
  const Result<Granted> granted = parts_.promises.promise(std::move(wish), nullptr);
  if (!granted) return true;
  const auto* const promise = std::get_if<Promise>(&*granted);
  if (promise == nullptr) return false;
  head.promise = *promise;
  head.state = Waiting::State::kRuns;
  decided_.notify_all();
  return true;
}

// Once for each change, not for each sample.
void PromptDispatcher::note(Waiting& waiting, const Decision& decision) {
  const bool same = waiting.noted && waiting.decision.kind == decision.kind &&
                    waiting.decision.reason == decision.reason;
  waiting.decision = decision;
  if (std::exchange(waiting.noted, true) && same) return;
  parts_.metrics.admission_decided(Lane::kGenerate, decision.kind, decision.reason);
  parts_.log.info("admission_decided", {{"task", waiting.request.task},
                                        {"workflow", waiting.wish.workflow},
                                        {"gpu", decision.gpu},
                                        {"decision", name_of(decision.kind)},
                                        {"reason", name_of(decision.reason)},
                                        {"why", sentence(decision)}});
}

// Whether waiting here costs more than a remote engine does, or leads to nothing.
bool PromptDispatcher::should_leave(Waiting& waiting) {
  const Result<WallTime> now = parts_.ledger.now();
  const CardSizes cards = sizes_of(states_);
  if (!now || cards.usable.empty()) return false;
  waiting.request.demand = demand_of(waiting.known, largest_promise(cards, options_), {});
  std::vector<QueuedGeneration> own;
  for (const Waiting& one : waiting_) {
    if (one.state == Waiting::State::kWaits) own.push_back(queued(one));
  }
  const CardQueue queue = fleet_.of(waiting.wish.engine, queued(waiting),
                                    waiting.request.demand.structural, std::move(own), *now);
  const bool too_large =
      waiting.request.demand.structural + options_.ledger.headroom > cards.largest();
  if (queue.cards == 0 && !too_large) return false;  // none that is measured
  const Decision decision = decide_spill(waiting.request, queue, cards, options_, *now);
  if (decision.kind == Decision::Kind::kWait) return false;
  note(waiting, decision);
  waiting.state = Waiting::State::kLeaves;
  return true;
}

std::string PromptDispatcher::endpoint_on(const std::string& gpu, const PromptWish& wish) const {
  for (const std::string& endpoint : wish.endpoints) {
    const auto card = cards_.find(endpoint);
    if (card != cards_.end() && card->second == gpu) return endpoint;
  }
  return wish.endpoints.front();
}

// With the lock, which is open while ComfyUI is asked. A reply says nothing yet: the memory is
// there when a later sample shows it.
void PromptDispatcher::make_room(Waiting& waiting, std::unique_lock<std::mutex>& lock,
                                 const Watch& watch) {
  const std::string gpu = waiting.decision.gpu;
  const std::string endpoint = endpoint_on(gpu, waiting.wish);
  lock.unlock();
  const Status asked = parts_.free_models(endpoint, watch);
  const Result<WallTime> now = parts_.ledger.now();
  parts_.log.info("gpu_room_made", {{"gpu", gpu},
                                    {"endpoint", endpoint},
                                    {"task", waiting.request.task},
                                    {"failure", asked ? "" : asked.failure().detail}});
  parts_.metrics.model_reloaded();
  lock.lock();
  const auto room = rooms_.find(gpu);
  if (room != rooms_.end()) room->second.replied_at = now ? *now : waiting.wish.waiting_since;
  waiting.state = Waiting::State::kWaits;
}

void PromptDispatcher::learn(const Profile& prior, const Promise& promise, Shape shape,
                             PromptEnd end) {
  Observation observation;
  observation.shape = shape;
  {
    const std::lock_guard lock(mutex_);
    auto& peaks = peaks_[promise.gpu];
    const auto peak = peaks.find(promise.epoch);
    if (peak == peaks.end() || end == PromptEnd::kFailed) return;
    observation.working = peak->second;
    peaks.erase(peak);
    const auto state = states_.find(promise.gpu);
    observation.dynamic_vram = state != states_.end() && state->second.sample.endpoint.dynamic_vram;
    observation.of_device_total = observation.dynamic_vram;
  }
  observation.censored = end == PromptEnd::kOutOfMemory;
  const Result<Profile> known = parts_.profiles.learn(prior, observation, {});
  if (!known) {
    parts_.log.warning("workflow_profile_not_kept", {{"reason", known.failure().detail}});
    return;
  }
  const auto expected = static_cast<double>(promise.bytes - prior.weights);
  if (expected > 0) {
    parts_.metrics.profile_error(prior.workflow,
                                 static_cast<double>(observation.working) / expected);
  }
}

Result<std::unique_ptr<PromptTurn>> PromptDispatcher::wait_turn(const PromptWish& wish,
                                                                const Watch& watch) {
  const Profile prior = prior_of(wish);
  const Result<Profile> known = parts_.profiles.profile(prior);
  std::unique_lock lock(mutex_);
  if (Status found = wait_for_cards(wish, lock, watch); !found) return found.failure();
  Waiting fresh{wish, known ? *known : prior, request_of(wish)};
  for (const std::string& endpoint : wish.endpoints) {
    const auto card = cards_.find(endpoint);
    if (card != cards_.end() && !card->second.empty()) fresh.gpus.insert(card->second);
  }
  if (fresh.gpus.empty()) {
    return std::unique_ptr<PromptTurn>(
        new Turn(nullptr, wish.endpoints.front(), prior, {}, Shape::kTiled));
  }
  weights_[prior.model] = prior.weights;
  const Place place = waiting_.insert(waiting_.end(), std::move(fresh));
  const SteadyTime began = parts_.clock.steady_now();
  for (const std::string& gpu : place->gpus) {
    if (place->state == Waiting::State::kWaits) decide(gpu);
  }
  const Status outcome = wait_at(*place, lock, watch);
  const Waiting done = *place;
  waiting_.erase(place);
  lock.unlock();
  if (watch.waiting) watch.waiting("");
  const std::chrono::duration<double> waited = parts_.clock.steady_now() - began;
  parts_.metrics.admission_waited(Lane::kGenerate, waited.count());
  if (!outcome) {
    const Status ignored = parts_.ledger.unreserve(wish.task);
    return outcome.failure();
  }
  return std::unique_ptr<PromptTurn>(new Turn(this, endpoint_on(done.promise.gpu, wish), prior,
                                              done.promise, done.decision.shape));
}

// Right after a start nothing is known of an endpoint that answers late: a prompt sent at once
// would take memory that is promised to nobody, beside whatever is promised.
Status PromptDispatcher::wait_for_cards(const PromptWish& wish, std::unique_lock<std::mutex>& lock,
                                        const Watch& watch) {
  const auto known = [&] {
    return std::all_of(wish.endpoints.begin(), wish.endpoints.end(),
                       [&](const std::string& endpoint) { return cards_.contains(endpoint); });
  };
  const SteadyTime end = parts_.clock.steady_now() + kCardsKnown;
  while (!known() && parts_.clock.steady_now() < end) {
    const auto left = time_left(parts_.clock, watch, kLook);
    if (!left) return left.failure();
    decided_.wait_for(lock, *left, known);
  }
  for (const std::string& endpoint : wish.endpoints) cards_.try_emplace(endpoint, "");
  return ok_status();
}

// Until it runs, or a failure says why it doesn't.
Status PromptDispatcher::wait_at(Waiting& waiting, std::unique_lock<std::mutex>& lock,
                                 const Watch& watch) {
  SteadyTime spill_at = parts_.clock.steady_now();
  for (;;) {
    const auto left = time_left(parts_.clock, watch, kLook);
    if (waiting.state == Waiting::State::kRuns) return ok_status();
    if (!left) return left.failure();
    if (waiting.state == Waiting::State::kMakesRoom) {
      make_room(waiting, lock, watch);
      continue;
    }
    if (waiting.state == Waiting::State::kWaits && parts_.clock.steady_now() >= spill_at) {
      spill_at = parts_.clock.steady_now() + kSpillInterval;
      (void)should_leave(waiting);
    }
    if (waiting.state == Waiting::State::kLeaves &&
        waiting.decision.reason == Reason::kStaleSample) {
      return failure(FailureKind::kUnavailable, "stale_sample: " + sentence(waiting.decision));
    }
    if (waiting.state == Waiting::State::kLeaves) {
      return vram_exhausted(waiting.decision);
    }
    if (watch.waiting) {
      const std::string why = sentence(waiting.decision);
      lock.unlock();
      watch.waiting(why);
      lock.lock();
    }
    decided_.wait_for(lock, *left, [&] { return waiting.state != Waiting::State::kWaits; });
  }
}

}  // namespace pytoon::worker
