#include "server/worker/worker.h"

#include <algorithm>
#include <exception>

namespace pytoon::worker {
using jobs::Lease;
using jobs::TaskKind;

namespace {

// After this multiple of the time to be called stuck, a cancelled task's thread is given up.
constexpr int kObeyDivisor = 4;
// How far a task is nobody needs to know more often.
constexpr std::chrono::seconds kNews{1};
// How long a job waits for a worker that has its encoder.
constexpr std::chrono::milliseconds kEncoderPatience{60'000};

// So long without a look, a process can't tell whether its tasks stood still or itself.
constexpr std::chrono::seconds kWatchGap{10};
// For a store that nobody else leases from.
constexpr std::chrono::hours kForEver{100 * 365 * 24};

bool same(const Lease& a, const Lease& b) { return a.epoch == b.epoch; }

}  // namespace

Worker::Worker(const WorkerDependencies& deps, jobs::WorkerRegistry& registry, Options options,
               jobs::WorkerInfo info)
    : context_(deps, std::move(options)),
      registry_(registry),
      info_(std::move(info)),
      pools_(pools_for(context_.options.render_threads, context_.options.audio_threads,
                       deps.engine_chain.slots())) {
  info_.worker_id = context_.options.worker_id;
  for (const auto& [engine, count] : deps.engine_chain.slots()) info_.engines.push_back(engine);
  for (const render::Encoder& encoder : deps.renderer.encoders()) {
    if (encoder.unavailable.empty()) info_.encoders.push_back(encoder.name);
  }
}

bool Worker::may_take(std::size_t pool) const {
  return !stopping_ && !draining_ && context_.deps.process.usable() && !excluded(pool);
}

// A task of this pool would share the process with one that is to be alone.
bool Worker::excluded(std::size_t pool) const {
  return exclusive_ != nullptr && (pools_[pool].computes || !pools_[exclusive_->pool].computes);
}

std::chrono::milliseconds Worker::lease_duration() const {
  return context_.options.sole_owner ? kForEver : context_.options.lease;
}

Result<std::optional<jobs::LeasedTask>> Worker::lease(std::size_t pool) {
  jobs::LeaseRequest request;
  request.worker_id = info_.worker_id;
  request.kinds = pools_[pool].kinds;
  request.encoders = info_.encoders;
  request.engines = pools_[pool].engines;
  return context_.deps.tasks.lease_next(request, lease_duration());
}

// While a thread asks for a lease, one may be ours that is not in held_ yet.
class Worker::InFlightLeaseRequest {
 public:
  InFlightLeaseRequest(Worker& worker, std::size_t pool) : worker_(worker) {
    const std::lock_guard lock(worker_.mutex_);
    allowed_ = worker_.may_take(pool) && !worker_.reconciling_;
    worker_.requests_in_flight_ += allowed_;
  }
  ~InFlightLeaseRequest() {
    const std::lock_guard lock(worker_.mutex_);
    worker_.requests_in_flight_ -= allowed_;
  }
  InFlightLeaseRequest(const InFlightLeaseRequest&) = delete;
  InFlightLeaseRequest& operator=(const InFlightLeaseRequest&) = delete;

  bool allowed() const { return allowed_; }

 private:
  Worker& worker_;
  bool allowed_ = false;
};

class Worker::LeaseReconciler {
 public:
  explicit LeaseReconciler(Worker& worker) : worker_(worker) {
    const std::lock_guard lock(worker_.mutex_);
    needed_ = worker_.requests_in_flight_ == 0 && !worker_.reconciling_ &&
              worker_.context_.deps.clock.steady_now() < worker_.orphans_until_;
    if (!needed_) return;
    worker_.reconciling_ = true;
    for (const Held& held : worker_.held_) known_.push_back(held.task->lease());
  }
  ~LeaseReconciler() {
    if (!needed_) return;
    const std::lock_guard lock(worker_.mutex_);
    worker_.reconciling_ = false;
  }
  LeaseReconciler(const LeaseReconciler&) = delete;
  LeaseReconciler& operator=(const LeaseReconciler&) = delete;

  bool needed() const { return needed_; }
  const std::vector<Lease>& known() const { return known_; }

 private:
  Worker& worker_;
  bool needed_ = false;
  std::vector<Lease> known_;
};

std::optional<Worker::Place> Worker::take(std::size_t pool) {
  const InFlightLeaseRequest in_flight(*this, pool);
  if (!in_flight.allowed()) return std::nullopt;
  Result<std::optional<jobs::LeasedTask>> leased = lease(pool);
  const std::lock_guard lock(mutex_);
  if (!leased) {
    // It may have been given to us all the same, and only the answer was lost.
    orphans_until_ = context_.deps.clock.steady_now() + context_.options.lease;
    context_.deps.log.warning("lease_failed", {{"reason", leased.failure().detail}});
    return std::nullopt;
  }
  if (!*leased) return std::nullopt;
  const auto task = std::make_shared<Task>(std::move(**leased), context_);
  if (stopping_) task->stop(Task::Stop::kLeaving);
  return held_.insert(held_.end(), Held{task, pool});
}

bool Worker::step(std::size_t pool, const std::function<void()>& on_leased) {
  const std::optional<Place> place = take(pool);
  if (!place) return false;
  if (on_leased) on_leased();
  const Place held = *place;
  const std::shared_ptr<Task> task = held->task;
  if (begin(*held)) {
    // Unsaid, nobody is blamed should we die; and a lease that is lost the task notices itself.
    const Status said = context_.deps.tasks.put_alone(task->lease());
    if (!said) context_.deps.log.warning("alone_unsaid", {{"reason", said.failure().detail}});
  }

  task->run();

  const std::lock_guard lock(mutex_);
  if (exclusive_ == &*held) exclusive_ = nullptr;
  held_.erase(held);
  changed_.notify_all();
  return true;
}

bool Worker::begin(Held& held) {
  std::unique_lock lock(mutex_);
  const Task& task = *held.task;
  const bool suspect = task.is_poison_suspect();
  changed_.wait(lock, [&] {
    return task.stopped() || (suspect ? exclusive_ == nullptr : !excluded(held.pool));
  });
  // One that is stopped computes nothing: it needs no turn, and must not take another's.
  if (suspect && !task.stopped()) wait_until_exclusive(lock, held);
  held.moved_at = context_.deps.clock.steady_now();
  held.begun = true;
  return exclusive_ == &held && !task.stopped();
}

bool Worker::in_the_way(const Held& other, const Held& held) const {
  const bool concerned = pools_[other.pool].computes || !pools_[held.pool].computes;
  return other.begun && !other.abandoned && concerned;
}

// Nobody begins beside it any more; who began before is waited for.
void Worker::wait_until_exclusive(std::unique_lock<std::mutex>& lock, const Held& held) {
  exclusive_ = &held;
  changed_.wait(lock, [&] {
    return held.task->stopped() || std::none_of(held_.begin(), held_.end(), [&](const Held& other) {
             return in_the_way(other, held);
           });
  });
}

std::vector<Lease> Worker::kept_leases() const {
  const std::lock_guard lock(mutex_);
  std::vector<Lease> leases;
  for (const Held& held : held_) {
    if (!held.abandoned) leases.push_back(held.task->lease());
  }
  return leases;
}

void Worker::drop_lost(const std::vector<Lease>& lost) {
  const std::lock_guard lock(mutex_);
  for (const Held& held : held_) {
    const bool gone = std::any_of(lost.begin(), lost.end(), [&](const Lease& lease) {
      return same(lease, held.task->lease());
    });
    // A task at its end may have removed its row itself: its own write says whether it held it.
    if (!gone || held.task->stopped() || held.task->ends()) continue;
    held.task->stop(Task::Stop::kLost);
    held.task->tell_lease_lost();
  }
  changed_.notify_all();
}

void Worker::renew_leases() {
  const SteadyTime now = context_.deps.clock.steady_now();
  try {
    const std::vector<Lease> leases = kept_leases();
    const bool renew = now >= renew_at_ && !context_.options.sole_owner;
    const Result<std::vector<Lease>> lost =
        renew ? context_.deps.tasks.renew(leases, lease_duration())
              : context_.deps.tasks.lost(leases);
    if (lost) {
      if (renew) renew_at_ = now + context_.options.lease / 4;
      drop_lost(*lost);
    }
    watch(now);
    judge_pools();
  } catch (const std::exception& error) {
    context_.deps.log.error("heartbeat_failed", {{"what", error.what()}});
  }
}

void Worker::run_maintenance() {
  try {
    publish_progress();
    release_abandoned();
    release_orphan_leases();
    const SteadyTime now = context_.deps.clock.steady_now();
    if (now < maintain_at_) return;
    maintain_at_ = now + context_.options.lease / 10;
    tell_of_us();
    if (!may_reap() || !is_reaper()) return;
    degrade_orphans(now);
    if (!context_.options.sole_owner) reap();
  } catch (const std::exception& error) {
    store_healthy_at_ = {};
    context_.deps.log.error("maintenance_failed", {{"what", error.what()}});
  }
}

void Worker::tell_of_us() {
  info_.pools = pool_states();
  {
    const std::lock_guard lock(mutex_);
    info_.draining = draining_ || stopping_ || !context_.deps.process.usable();
  }
  note_store_health(registry_.upsert_worker(info_));
}

void Worker::publish_progress() {
  const SteadyTime now = context_.deps.clock.steady_now();
  std::vector<std::pair<Lease, int>> moved;
  {
    const std::lock_guard lock(mutex_);
    for (Held& held : held_) {
      const int frames = held.task->frames();
      const int percents = held.task->percents(frames);
      if (percents == held.published_percents || held.task->stopped()) continue;
      if (now - held.published_at < kNews) continue;
      held.published_percents = percents;
      held.published_at = now;
      moved.emplace_back(held.task->lease(), frames);
    }
  }
  for (const auto& [lease, frames] : moved) {
    const Status put = context_.deps.tasks.put_progress(lease, frames);
    // While the store is in trouble the others would only wait in turn for the same answer.
    if (!put && traits(put.failure().kind).transient()) return;
  }
}

// By lack of progress, never by age. What hangs is cancelled; if it does not even obey, its task is
// handed back and its thread is lost.
void Worker::watch(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto patience = context_.options.stuck_after;
  // Where nobody watched, a frozen process or a starved machine, nobody is to blame for it.
  const auto gap = now - watched_at_;
  watched_at_ = now;
  for (Held& held : held_) {
    if (gap > kWatchGap) held.moved_at = std::min(held.moved_at + gap, now);
    const int frames = held.task->frames();
    if (frames != held.frames || !held.begun || held.task->waits()) {
      held.frames = frames;
      held.moved_at = now;
      continue;
    }
    const auto still = now - std::max(held.moved_at, held.task->silent_until());
    if (still > patience && !held.task->stopped()) {
      context_.deps.log.error(
          "task_stuck",
          held.task->about({{"task", name_of(held.task->lease().kind)}, {"frames", frames}}));
      held.task->stop(Task::Stop::kHung);
    }
    if (still > patience + patience / kObeyDivisor && !held.abandoned) {
      context_.deps.log.error("thread_abandoned",
                              held.task->about({{"pool", pools_[held.pool].name}}));
      held.abandoned = true;
      if (exclusive_ == &held) exclusive_ = nullptr;
      changed_.notify_all();
    }
  }
}

void Worker::judge_pools() {
  for (const jobs::PoolState& pool : pool_states()) {
    if (!half_are_lost(pool)) continue;
    context_.deps.process.mark_unusable(std::to_string(pool.lost) + " of " +
                                        std::to_string(pool.threads) + " threads of the pool " +
                                        pool.name + " hang");
  }
}

// As a crash, for the job may be to blame. Whatever the lost thread still writes has a stale epoch.
void Worker::release_abandoned() {
  std::vector<Lease> leases;
  {
    const std::lock_guard lock(mutex_);
    for (const Held& held : held_) {
      if (held.abandoned && !held.released) leases.push_back(held.task->lease());
    }
  }
  for (const Lease& lease : leases) {
    const Status freed = context_.deps.tasks.release(lease, jobs::ReleaseReason::kCrashed,
                                                     context_.options.back_off);
    if (!freed && freed.failure().kind != FailureKind::kConflict) continue;  // tried again soon
    const std::lock_guard lock(mutex_);
    for (Held& held : held_) held.released = held.released || same(lease, held.task->lease());
  }
}

void Worker::release_orphan_leases() {
  const LeaseReconciler reconciler(*this);
  if (!reconciler.needed()) return;
  const Result<int> count =
      context_.deps.tasks.hand_back_unknown(info_.worker_id, reconciler.known());
  if (count && *count > 0) context_.deps.log.info("orphan_leases_released", {{"count", *count}});
}

// Whether a lease that ran out tells of a dead worker. Not when the store was away, or we were, for
// so long that the living can't have renewed theirs either: first they all get the time to.
bool Worker::may_reap() const {
  return store_healthy_at_ - store_healthy_since_ >= context_.options.lease / 2;
}

// Of all workers one at a time, now and then.
bool Worker::is_reaper() {
  if (context_.options.sole_owner) return true;
  const Result<bool> ours = context_.deps.tasks.begin_reaping(context_.options.lease / 20);
  if (!ours) note_store_health(ours.failure());
  return ours && *ours;
}

void Worker::note_store_health(const Status& answer) {
  const SteadyTime now = context_.deps.clock.steady_now();
  if (!answer || now - store_healthy_at_ > context_.options.lease / 2) store_healthy_since_ = now;
  if (answer) store_healthy_at_ = now;
}

// Jobs begun with an encoder, or waiting for an engine, that no live worker has. All workers first
// get the time to report.
void Worker::degrade_orphans(SteadyTime now) {
  if (now - store_healthy_since_ < 2 * kEncoderPatience) return;
  const std::string last = context_.deps.renderer.encoders().back().name;
  const Result<std::vector<jobs::Degraded>> degraded =
      context_.deps.tasks.degrade(last, kEncoderPatience);
  if (!degraded) return;
  for (const jobs::Degraded& one : *degraded) {
    context_.deps.metrics.degraded(one.from, one.to);
    context_.deps.log.warning("encoder_degraded", {{"job_id", one.job_id},
                                                   {"trace_id", one.trace_id},
                                                   {"from", one.from},
                                                   {"to", one.to},
                                                   {"reason", "no live worker has it"}});
  }
  const auto released = context_.deps.tasks.release_engines(kEncoderPatience);
  if (!released) return;
  for (const jobs::EngineOrphan& one : *released) {
    context_.deps.log.warning("engine_orphaned", {{"job_id", one.job_id},
                                                  {"trace_id", one.trace_id},
                                                  {"reason", "no live worker has the engine"}});
  }
}

void Worker::reap() {
  const Result<std::vector<jobs::Reaped>> reaped = context_.deps.tasks.reap();
  if (!reaped) return note_store_health(reaped.failure());
  for (const jobs::Reaped& one : *reaped) {
    context_.deps.metrics.task_reaped(one.kind);
    context_.deps.log.warning("task_reaped", {{"job_id", one.job_id},
                                              {"trace_id", one.trace_id},
                                              {"task", name_of(one.kind)},
                                              {"segment_id", one.segment},
                                              {"dead_worker", one.worker_id},
                                              {"crashes", one.crashes}});
    if (one.quarantined) {
      context_.deps.log.error("job_quarantined",
                              {{"job_id", one.job_id}, {"trace_id", one.trace_id}});
      context_.deps.metrics.fallback_used("template");
      context_.deps.metrics.job_quarantined();
    }
    if (one.failed) {
      context_.deps.log.error("job_failed", {{"job_id", one.job_id}, {"trace_id", one.trace_id}});
    }
  }
}

void Worker::set_draining(bool draining) {
  const std::lock_guard lock(mutex_);
  draining_ = draining;
}

void Worker::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const Held& held : held_) held.task->stop(Task::Stop::kLeaving);
  changed_.notify_all();
}

int Worker::held() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(held_.size());
}

std::vector<jobs::PoolState> Worker::pool_states() const {
  std::vector<jobs::PoolState> states;
  for (const PoolSpec& pool : pools_) {
    jobs::PoolState state;
    state.name = pool.name;
    state.threads = pool.threads;
    for (const std::string& engine : pool.engines) {  // of an engine's pool: one
      const auto breaker = context_.deps.engine_chain.breaker_state(engine);
      state.breaker = engines::CircuitBreaker::name_of(breaker);
    }
    states.push_back(std::move(state));
  }
  const std::lock_guard lock(mutex_);
  for (const Held& held : held_)
    ++(held.abandoned ? states[held.pool].lost : states[held.pool].busy);
  return states;
}

}  // namespace pytoon::worker
