#include "benchmarks/admission/controlled.h"

#include "base/check.h"
#include "benchmarks/admission/cpu_time.h"

namespace pytoon::benchmark {
namespace {

using adm::Decision;
using std::chrono::milliseconds;

constexpr double kSpillPeriod_s = 6;
constexpr double kRenewPeriod_s = 5;
constexpr std::size_t kTriedSegments = 8;
constexpr const char* kWorker = "worker";
// Of each card's worker. Segments of two pieces keep them busy kRenderSlots at a time.
constexpr int kThreads = 6;
constexpr int kPieces = 2;

milliseconds ms(double seconds) { return milliseconds(std::llround(seconds * 1000)); }

// Common priors: what the workflow file says is the model's usual working set.
std::vector<adm::Profile> priors_of(const Trace& trace) {
  std::vector<adm::Profile> profiles;
  for (const Workflow& workflow : trace.workflows) {
    const Model& model = trace.models[workflow.model];
    adm::Profile profile;
    profile.workflow = std::to_string(profiles.size());
    profile.model = model.name;
    profile.weights = bytes_of(model.weights_gib);
    profile.prior_full = bytes_of(std::max(model.sampling_gib, model.decode_gib));
    profile.prior_tiled = bytes_of(std::max(model.sampling_gib, model.decode_gib * kTiledDecode));
    profile.load = ms(model.load_s);
    profile.run = ms(workflow.run_s);
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

ControlledOptions tuned(ControlledOptions options) {
  if (options.oracle) options.controller.ledger.headroom = bytes_of(.05);
  return options;
}

}  // namespace

Controlled::Controlled(Simulation& simulation, const ControlledOptions& options)
    : simulation_(simulation),
      options_(tuned(options)),
      ledger_(clock_, options_.controller.ledger),
      profiles_(priors_of(simulation.trace())),
      queues_(profiles_.size()),
      violated_(simulation.cards().size()),
      headroom_used_(simulation.cards().size()) {
  std::set<adm::Bytes> usable;
  for (const Card& card : simulation.cards()) {
    table_.add(card.uuid);
    usable.insert(bytes_of(card.usable()));
  }
  sizes_.usable.assign(usable.begin(), usable.end());
  class_work_s_.resize(usable.size() + 1);
}

Controlled::Key Controlled::key_of(Task& task) {
  return {task.ready_s - 60.0 * task.job->spec->priority, task.id, &task};
}

adm::Demand Controlled::demand_of(const Task& task) const {
  adm::Profile profile = profiles_[task.workflow];
  adm::ProfileOptions options;
  if (!options_.learning) profile.runs = 0;
  adm::Demand demand =
      adm::demand_of(profile, adm::largest_promise(sizes_, options_.controller), options);
  if (!options_.learning) demand.first_run = false;
  if (options_.oracle) {
    for (const adm::Shape shape : {adm::Shape::kFull, adm::Shape::kTiled, adm::Shape::kPaged}) {
      demand.peak[static_cast<int>(shape)] = bytes_of(simulation_.true_peak(task, shape));
    }
    demand.first_run = false;
  }
  if (!options_.shapes) demand.peak[1] = demand.peak[2] = demand.peak[0];
  return demand;
}

adm::Request Controlled::request_of(const Task& task) const {
  const JobSpec& job = *task.job->spec;
  adm::Request request;
  request.task = std::to_string(task.id);
  request.waiting_since = wall_time(task.ready_s);
  request.priority = job.priority;
  if (job.priority > 0) request.deadline = wall_time(task.job->deadline_s);
  if (!task.generation) {
    request.lane = adm::Lane::kRender;
    request.cost.frames_in_flight = bytes_of(task.gib);
    request.cost.duration = ms(task.run_s);
    request.cost.pieces = kPieces;
    request.worker_id = kWorker;
    request.segments_max = adm::segments_at_once(kThreads, request.cost);
    return request;
  }
  request.lane = adm::Lane::kGenerate;
  request.demand = demand_of(task);
  if (job.local_preferred && options_.spill) {
    const Model& model = simulation_.model_of(task);
    request.policy = adm::EnginePolicy::kLocalPreferred;
    request.offer = {std::llround(model.api_usd * 1e6), ms(model.api_latency_s)};
  }
  if (const auto kept = reserved_on_.find(&task); kept != reserved_on_.end()) {
    request.reserved_on = kept->second;
  }
  return request;
}

WallTime Controlled::ledger_time() {
  clock_.reach(wall_time(simulation_.now_s()));
  return clock_.now();
}

// What the ledger knows of the card, with the newest sample published first.
adm::GpuState Controlled::state_of(Card& card) {
  ledger_time();
  adm::Sample sample;
  if (options_.oracle) {
    clock_.step();
    sample = card.current(simulation_.now_s());
    sample.at = clock_.now();
  } else {
    sample = card.sampled(simulation_.now_s());
  }
  (void)ledger_.publish(card.uuid, sample).ok();  // refused when it was published before
  return ledger_.state(card.uuid).value();
}

void Controlled::refresh(Card& card) {
  const adm::GpuState state = state_of(card);
  table_.update(card.index, state, options_.controller, ledger_time());
}

// ---- waiting -----------------------------------------------------------------------------------

std::size_t Controlled::size_class(const Task& task) const {
  const adm::Demand demand = demand_of(task);
  const adm::Bytes need = demand.peak[1] + options_.controller.ledger.headroom;
  std::size_t size = 0;
  while (size < sizes_.usable.size() && sizes_.usable[size] < need) ++size;
  return size;
}

adm::CardQueue Controlled::card_queue(Task& task) const {
  const std::size_t size = size_class(task);
  adm::CardQueue queue;
  double waiting_s = 0;
  for (std::size_t i = size; i < class_work_s_.size(); ++i) waiting_s += class_work_s_[i];
  queue.queued = ms(waiting_s);
  const Key own = key_of(task);
  for (const Queue& waiting : queues_) {
    for (auto later = waiting.upper_bound(own); later != waiting.end(); ++later) {
      if (queued_class_.at(later->task).first >= size) ++queue.behind;
    }
  }
  if (size < sizes_.usable.size()) {
    for (const Card& card : simulation_.cards()) {
      if (bytes_of(card.usable()) >= sizes_.usable[size]) ++queue.cards;
    }
  }
  return queue;
}

bool Controlled::spilled(Task& task) {
  const adm::Request request = request_of(task);
  const Decision decision =
      adm::decide_spill(request, card_queue(task), sizes_, options_.controller, ledger_time());
  if (decision.kind == Decision::Kind::kElsewhere) {
    simulation_.start_api(task);
    return true;
  }
  if (decision.kind == Decision::Kind::kNever) {
    ++simulation_.metrics().never;
    return true;
  }
  return false;
}

void Controlled::enqueue(Task& task) {
  queues_[task.workflow].insert(key_of(task));
  const double run_s = simulation_.trace().workflows[task.workflow].run_s;
  const std::size_t size = size_class(task);
  class_work_s_[size] += run_s;
  queued_class_[&task] = {size, run_s};
  ++waiting_;
}

void Controlled::dequeue(Task& task) {
  queues_[task.workflow].erase(key_of(task));
  const auto queued = queued_class_.find(&task);
  class_work_s_[queued->second.first] =
      std::max(0.0, class_work_s_[queued->second.first] - queued->second.second);
  queued_class_.erase(queued);
  --waiting_;
  (void)ledger_.unreserve(std::to_string(task.id)).ok();
  reserved_on_.erase(&task);
}

void Controlled::on_generation(Task& task, bool again) {
  if (spilled(task)) return;
  enqueue(task);
  if (!again) push(task);
}

// A new task wakes the card that suits it best, and the next best ones when that takes another.
void Controlled::push(Task& task) {
  for (int tries = 0; tries < 4 && task.state == Task::State::kWaiting; ++tries) {
    const adm::Demand demand = demand_of(task);
    const double begin_us = thread_cpu_us();
    const std::optional<adm::Placement> placement = table_.place(demand, options_.controller);
    simulation_.metrics().place_us.push_back(thread_cpu_us() - begin_us);
    if (!placement) return;
    Card& card = simulation_.cards()[placement->gpu];
    try_generation(card);
    table_.disable(card.index);  // until its state changes or the next second
  }
}

// ---- generations -------------------------------------------------------------------------------

void Controlled::try_generation(Card& card) {
  if (waiting_ == 0) return;
  std::vector<Task*> tasks;
  std::vector<adm::Request> heads;
  for (const Queue& queue : queues_) {
    if (queue.empty() || queue.begin()->task->not_before_s > simulation_.now_s()) continue;
    tasks.push_back(queue.begin()->task);
    heads.push_back(request_of(*queue.begin()->task));
  }
  const adm::GpuState state = state_of(card);
  const WallTime now = ledger_time();
  const double begin_us = thread_cpu_us();
  const adm::EndpointDecision chosen =
      adm::decide_generation(state, heads, sizes_, options_.controller, now);
  simulation_.metrics().decide_us.push_back(thread_cpu_us() - begin_us);
  if (chosen.head < heads.size()) {
    carry_out(card, *tasks[chosen.head], chosen.decision);
  } else if (chosen.decision.reason == adm::Reason::kEndpointDraining) {
    const double next_s = std::max(simulation_.now_s() + .05,
                                   card.sample_time(simulation_.now_s()) + kSamplePeriod_s + .001);
    simulation_.at(next_s, [this, &card] { on_card(card); });
  }
  refresh(card);
}

void Controlled::carry_out(Card& card, Task& task, const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::kRun:
      return start(card, task, decision);
    case Decision::Kind::kMakeRoom:
      return make_room(card, task, decision);
    case Decision::Kind::kElsewhere:
      dequeue(task);
      return simulation_.start_api(task);
    case Decision::Kind::kWait:
      if (!decision.reserve) return;
      if (ledger_.reserve(card.uuid, std::to_string(task.id), decision.need,
                          options_.controller.reservation)) {
        reserved_on_[&task] = card.uuid;
        ++simulation_.metrics().reservations;
      }
      return;
    case Decision::Kind::kNever:
      return;
  }
}

void Controlled::start(Card& card, Task& task, const Decision& decision) {
  adm::Wish wish;
  wish.gpu = card.uuid;
  wish.worker_id = kWorker;
  wish.task = std::to_string(task.id);
  wish.lane = adm::Lane::kGenerate;
  wish.bytes = decision.promise;
  wish.model = simulation_.model_of(task).name;
  wish.duration = ms(simulation_.model_of(task).load_s + task.run_s);
  const adm::Granted granted = ledger_.promise(wish).value();
  CHECK(std::holds_alternative<adm::Promise>(granted),
        "the ledger refused what the controller decided on the same state");
  note_overtaken(card, task);
  dequeue(task);
  task.promise = std::get<adm::Promise>(granted);
  simulation_.start_generation(card, task, decision.shape);
}

void Controlled::make_room(Card& card, Task& task, const Decision& decision) {
  if (!ledger_.begin_room(card.uuid, std::to_string(task.id), options_.controller.room_interval)) {
    return;
  }
  if (decision.step == adm::RoomStep::kRestartEndpoint) {
    ++simulation_.metrics().restarts;
    (void)ledger_.end_room(card.uuid).ok();
    return simulation_.restart_endpoint(card);
  }
  simulation_.free_models(card, [this, &card] { (void)ledger_.end_room(card.uuid).ok(); });
}

// A task may be passed over by younger ones for as long as their bonuses are worth in age. How far
// beyond its own age was the one that passed it, on a card that could hold both?
void Controlled::note_overtaken(const Card& card, const Task& started) {
  const adm::ControllerOptions& controller = options_.controller;
  const double bound_s = 2 * 60 + 60 + 60 + 40 + 8 + 10 + 20;  // docs/admission.md, age bound
  for (const Queue& queue : queues_) {
    if (queue.empty()) continue;
    Task& waits = *queue.begin()->task;
    if (&waits == &started || waits.not_before_s > simulation_.now_s()) continue;
    const adm::Bytes tiled = demand_of(waits).peak[1] + controller.ledger.headroom;
    if (tiled > bytes_of(card.usable() - card.foreign - card.leak)) continue;
    const double passed_s = started.ready_s - waits.ready_s - bound_s;
    Metrics& metrics = simulation_.metrics();
    metrics.age_excess_s_max = std::max(metrics.age_excess_s_max, passed_s);
    if (passed_s > 0) ++metrics.starved;
  }
}

// ---- segments ----------------------------------------------------------------------------------

void Controlled::on_segments(Job& job) {
  adm::RenderLoad load;
  load.queue.cards = static_cast<int>(simulation_.cards().size());
  load.queue.queued = ms(5.0 * static_cast<double>(segments_.size()));
  load.segments = static_cast<int>(job.segments.size());
  load.free_cores = static_cast<int>(simulation_.cpus_free());
  load.gpu_threads = load.queue.cards * kThreads;
  const Decision decision =
      adm::decide_compositor(request_of(*job.segments.front()), load, sizes_, options_.controller);
  if (decision.kind == Decision::Kind::kElsewhere) return simulation_.start_cpu(job);
  for (Task* task : job.segments) segments_.insert(key_of(*task));
  std::vector<Card>& cards = simulation_.cards();
  const std::size_t looks = std::min<std::size_t>(cards.size(), 12);
  for (std::size_t i = 0; i < looks && !segments_.empty(); ++i) {
    // Few cards: all of them. Many: a dozen, others with each job.
    try_segments(
        cards[cards.size() <= 12 ? i : (job.segments.front()->id * 31 + i) % cards.size()]);
  }
}

void Controlled::on_segment_again(Task& task) { segments_.insert(key_of(task)); }

void Controlled::try_segments(Card& card) {
  std::vector<Task*> tried;
  for (const Key& key : segments_) {
    tried.push_back(key.task);
    if (tried.size() == kTriedSegments) break;
  }
  bool started = false;
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (card.segments.size() >= kRenderSlots) break;
    if (tried[i]->not_before_s > simulation_.now_s() || !try_segment(card, *tried[i])) continue;
    started = true;
  }
  if (started) refresh(card);
}

bool Controlled::try_segment(Card& card, Task& task) {
  const adm::GpuState state = state_of(card);
  const double begin_us = thread_cpu_us();
  const Decision decision =
      adm::decide_render(state, request_of(task), options_.controller, ledger_time());
  simulation_.metrics().decide_us.push_back(thread_cpu_us() - begin_us);
  if (decision.kind != Decision::Kind::kRun) return false;
  adm::Wish wish;
  wish.gpu = card.uuid;
  wish.worker_id = kWorker;
  wish.task = std::to_string(task.id);
  wish.bytes = decision.promise;
  wish.duration = ms(task.run_s * (card.running != nullptr ? 1.25 : 1));
  wish.segments_max = kRenderSlots;
  const adm::Granted granted = ledger_.promise(wish).value();
  CHECK(std::holds_alternative<adm::Promise>(granted),
        "the ledger refused what the controller decided on the same state");
  segments_.erase(key_of(task));
  task.promise = std::get<adm::Promise>(granted);
  simulation_.start_segment(card, task);
  return true;
}

// ---- what happens ------------------------------------------------------------------------------

void Controlled::on_card(Card& card) {
  if (!segments_.empty()) try_segments(card);
  try_generation(card);
  if (waiting_ == 0) refresh(card);
}

void Controlled::on_second() {
  ++seconds_;
  const double now_s = simulation_.now_s();
  if (now_s - renewed_s_ >= kRenewPeriod_s) renew_all();
  if (options_.spill && waiting_ > 0 && seconds_ % static_cast<int>(kSpillPeriod_s) == 0) {
    std::vector<Task*> waiting;
    for (const Queue& queue : queues_) {
      for (const Key& key : queue) waiting.push_back(key.task);
    }
    for (Task* task : waiting) {
      if (!task->job->spec->local_preferred) continue;
      const Decision decision = adm::decide_spill(request_of(*task), card_queue(*task), sizes_,
                                                  options_.controller, ledger_time());
      if (decision.kind != Decision::Kind::kElsewhere) continue;
      dequeue(*task);
      simulation_.start_api(*task);
    }
  }
  for (Card& card : simulation_.cards()) {
    if (!segments_.empty() || waiting_ > 0) {
      on_card(card);
    } else {
      refresh(card);
    }
  }
}

void Controlled::renew_all() {
  renewed_s_ = simulation_.now_s();
  ledger_time();
  std::vector<adm::Promise> held;
  for (const Card& card : simulation_.cards()) {
    if (card.running != nullptr) held.push_back(card.running->promise);
    for (const Task* task : card.segments) held.push_back(task->promise);
  }
  CHECK(ledger_.renew(held).value().empty(), "a promise was lost although it was renewed in time");
}

void Controlled::on_given_back(Card& card, Task& task, bool died) {
  ledger_time();
  if (!died) (void)ledger_.release(task.promise).ok();
  task.promise = {};
  table_.disable(card.index);
}

void Controlled::on_observed(Card& card, Task& task, double working_gib, bool censored) {
  adm::Observation observation;
  observation.shape = task.shape;
  observation.working = bytes_of(working_gib);
  observation.censored = censored;
  observation.dynamic_vram = card.dynamic;
  profiles_[task.workflow] = adm::learned(profiles_[task.workflow], observation, {});
}

void Controlled::on_memory(Card& card) {
  const WallTime now = ledger_time();
  Result<adm::GpuState> known = ledger_.state(card.uuid);
  if (!known) return;  // before its first sample nothing is promised
  // The truth of this instant, younger than whatever was given back in it.
  adm::Sample truth = card.current(simulation_.now_s());
  truth.at = now + std::chrono::microseconds(1);
  adm::keep_words_of_others(*known, truth, now);
  known->sample = std::move(truth);
  const adm::Balance balance = adm::balance_of(*known, options_.controller.ledger, now);
  Metrics& metrics = simulation_.metrics();
  if (balance.violated && violated_[card.index] == 0) {
    ++(balance.cause == adm::ViolationCause::kOurs ? metrics.violations_ours
                                                   : metrics.violations_foreign);
  }
  if (balance.headroom_used && headroom_used_[card.index] == 0) ++metrics.headroom_uses;
  violated_[card.index] = balance.violated ? 1 : 0;
  headroom_used_[card.index] = balance.headroom_used ? 1 : 0;
}

}  // namespace pytoon::benchmark
