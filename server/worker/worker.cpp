#include "server/worker/worker.h"

#include <algorithm>
#include <exception>

namespace pytoon::worker {
using jobs::Lease;
using jobs::Work;

namespace {

// After this multiple of the time to be called stuck, a cancelled task's thread is given up.
constexpr int kObeyDivisor = 4;
// Footage takes minutes, and how far it is nobody needs to know more often.
constexpr std::chrono::seconds kFootageNews{1};
// How long a job waits for a worker that has its encoder.
constexpr std::chrono::milliseconds kEncoderPatience{60'000};

// For a store that nobody else leases from.
constexpr std::chrono::hours kForEver{100 * 365 * 24};

bool same(const Lease& a, const Lease& b) { return a.epoch == b.epoch; }

}  // namespace

Worker::Worker(const Parts& parts, jobs::Fleet& fleet, Options options, jobs::WorkerFacts facts)
    : desk_(parts, std::move(options)),
      fleet_(fleet),
      facts_(std::move(facts)),
      pools_(pools_for(desk_.options.render_threads, desk_.options.audio_threads,
                       parts.ladder.slots())) {
  facts_.holder = desk_.options.holder;
  for (const auto& [engine, count] : parts.ladder.slots()) facts_.engines.push_back(engine);
  for (const render::Encoder& encoder : parts.renderer.encoders()) {
    if (encoder.unavailable.empty()) facts_.encoders.push_back(encoder.name);
  }
}

bool Worker::may_take(std::size_t pool) const {
  return !stopping_ && !draining_ && (alone_ == nullptr || !pools_[pool].computes);
}

std::chrono::milliseconds Worker::lease_duration() const {
  return desk_.options.sole_owner ? kForEver : desk_.options.lease;
}

Result<std::optional<jobs::Claim>> Worker::lease(std::size_t pool) {
  jobs::Hand hand;
  hand.holder = facts_.holder;
  hand.works = pools_[pool].works;
  hand.encoders = facts_.encoders;
  hand.engines = pools_[pool].engines;
  return desk_.parts.tasks.lease_next(hand, lease_duration());
}

// While a thread asks for a lease, one may be ours that is not in held_ yet.
class Worker::Asking {
 public:
  Asking(Worker& worker, std::size_t pool) : worker_(worker) {
    const std::lock_guard lock(worker_.mutex_);
    allowed_ = worker_.may_take(pool) && !worker_.gathering_;
    worker_.asking_ += allowed_;
  }
  ~Asking() {
    const std::lock_guard lock(worker_.mutex_);
    worker_.asking_ -= allowed_;
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  bool allowed() const { return allowed_; }

 private:
  Worker& worker_;
  bool allowed_ = false;
};

class Worker::Gathering {
 public:
  explicit Gathering(Worker& worker) : worker_(worker) {
    const std::lock_guard lock(worker_.mutex_);
    needed_ = worker_.asking_ == 0 && !worker_.gathering_ &&
              worker_.desk_.parts.clock.steady_now() < worker_.strays_until_;
    if (!needed_) return;
    worker_.gathering_ = true;
    for (const Held& held : worker_.held_) known_.push_back(held.task->lease());
  }
  ~Gathering() {
    if (!needed_) return;
    const std::lock_guard lock(worker_.mutex_);
    worker_.gathering_ = false;
  }
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  bool needed() const { return needed_; }
  const std::vector<Lease>& known() const { return known_; }

 private:
  Worker& worker_;
  bool needed_ = false;
  std::vector<Lease> known_;
};

std::optional<Worker::Place> Worker::take(std::size_t pool) {
  const Asking asking(*this, pool);
  if (!asking.allowed()) return std::nullopt;
  Result<std::optional<jobs::Claim>> claim = lease(pool);
  const std::lock_guard lock(mutex_);
  if (!claim) {
    // It may have been given to us all the same, and only the answer was lost.
    strays_until_ = desk_.parts.clock.steady_now() + desk_.options.lease;
    desk_.parts.log.warning("lease_failed", {{"reason", claim.failure().detail}});
    return std::nullopt;
  }
  if (!*claim) return std::nullopt;
  const auto task = std::make_shared<Task>(std::move(**claim), desk_);
  if (stopping_) task->stop(Task::Stop::kLeaving);
  return held_.insert(held_.end(), Held{task, pool});
}

bool Worker::step(std::size_t pool) {
  const std::optional<Place> place = take(pool);
  if (!place) return false;
  const Place held = *place;
  const std::shared_ptr<Task> task = held->task;
  begin(*held);

  task->run();

  const std::lock_guard lock(mutex_);
  held_.erase(held);
  if (alone_ == task.get()) alone_ = nullptr;
  changed_.notify_all();
  return true;
}

void Worker::begin(Held& held) {
  std::unique_lock lock(mutex_);
  const Task& task = *held.task;
  if (pools_[held.pool].computes) {
    changed_.wait(lock, [&] { return alone_ == nullptr || task.stopped(); });
    // One that is stopped computes nothing: it needs no turn, and must not take another's.
    if (task.suspect() && !task.stopped()) wait_until_alone(lock, task);
  }
  held.moved_at = desk_.parts.clock.steady_now();
  held.begun = true;
}

// Nobody begins to compute any more; who began before is waited for.
void Worker::wait_until_alone(std::unique_lock<std::mutex>& lock, const Task& task) {
  alone_ = &task;
  changed_.wait(lock, [&] {
    return task.stopped() || std::none_of(held_.begin(), held_.end(), [&](const Held& held) {
             return held.begun && !held.abandoned && pools_[held.pool].computes;
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
    desk_.parts.metrics.lease_lost(held.task->lease().work);
    desk_.parts.log.warning("lease_lost", {{"job_id", held.task->lease().job_id},
                                           {"work", name_of(held.task->lease().work)},
                                           {"segment_id", held.task->lease().segment}});
  }
  changed_.notify_all();
}

void Worker::beat() {
  const SteadyTime now = desk_.parts.clock.steady_now();
  try {
    const std::vector<Lease> leases = kept_leases();
    const bool renew = now >= renew_at_ && !desk_.options.sole_owner;
    const Result<std::vector<Lease>> lost =
        renew ? desk_.parts.tasks.renew(leases, lease_duration()) : desk_.parts.tasks.lost(leases);
    if (lost) {
      if (renew) renew_at_ = now + desk_.options.lease / 4;
      drop_lost(*lost);
    }
    watch(now);
  } catch (const std::exception& error) {
    desk_.parts.log.error("beat_failed", {{"what", error.what()}});
  }
}

void Worker::keep_house() {
  try {
    publish_progress();
    release_abandoned();
    hand_back_strays();
    const SteadyTime now = desk_.parts.clock.steady_now();
    if (now < keep_house_at_) return;
    keep_house_at_ = now + desk_.options.lease / 10;
    tell_of_us();
    if (!can_judge()) return;
    degrade_orphans(now);
    if (!desk_.options.sole_owner) reap();
  } catch (const std::exception& error) {
    heard_at_ = {};
    desk_.parts.log.error("maintenance_failed", {{"what", error.what()}});
  }
}

void Worker::tell_of_us() {
  facts_.pools = pool_states();
  {
    const std::lock_guard lock(mutex_);
    facts_.draining = draining_ || stopping_;
  }
  hear(fleet_.put_worker(facts_));
}

void Worker::publish_progress() {
  const SteadyTime now = desk_.parts.clock.steady_now();
  std::vector<std::pair<Lease, int>> moved;
  {
    const std::lock_guard lock(mutex_);
    for (Held& held : held_) {
      const int frames = held.task->frames();
      if (frames == held.published_frames || held.task->stopped()) continue;
      const bool slow = held.task->lease().work == Work::kFootage;
      if (slow && now - held.published_at < kFootageNews) continue;
      held.published_frames = frames;
      held.published_at = now;
      moved.emplace_back(held.task->lease(), frames);
    }
  }
  for (const auto& [lease, frames] : moved) {
    const Status put = desk_.parts.tasks.put_progress(lease, frames);
    // While the store is in trouble the others would only wait in turn for the same answer.
    if (!put && machine_away(put.failure())) return;
  }
}

// By lack of progress, never by age. What hangs is cancelled; if it does not even obey, its task is
// handed back and its thread is lost.
void Worker::watch(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto patience = desk_.options.stuck_after;
  for (Held& held : held_) {
    const int frames = held.task->frames();
    if (frames != held.frames || !held.begun || held.task->waits()) {
      held.frames = frames;
      held.moved_at = now;
      continue;
    }
    const auto still = now - std::max(held.moved_at, held.task->silent_until());
    if (still > patience && !held.task->stopped()) {
      desk_.parts.log.error("task_stuck", {{"job_id", held.task->lease().job_id},
                                           {"work", name_of(held.task->lease().work)},
                                           {"segment_id", held.task->lease().segment},
                                           {"frames", frames}});
      held.task->stop(Task::Stop::kHung);
    }
    if (still > patience + patience / kObeyDivisor && !held.abandoned) {
      desk_.parts.log.error("thread_abandoned", {{"job_id", held.task->lease().job_id},
                                                 {"pool", pools_[held.pool].name}});
      held.abandoned = true;
      if (alone_ == held.task.get()) alone_ = nullptr;
      changed_.notify_all();
    }
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
    const Status freed =
        desk_.parts.tasks.release(lease, jobs::Ending::kCrashed, desk_.options.back_off);
    if (!freed && freed.failure().kind != FailureKind::kConflict) continue;  // tried again soon
    const std::lock_guard lock(mutex_);
    for (Held& held : held_) held.released = held.released || same(lease, held.task->lease());
  }
}

void Worker::hand_back_strays() {
  const Gathering gathering(*this);
  if (!gathering.needed()) return;
  const Result<int> count = desk_.parts.tasks.hand_back_unknown(facts_.holder, gathering.known());
  if (count && *count > 0) desk_.parts.log.info("strays_handed_back", {{"count", *count}});
}

// Whether a lease that ran out tells of a dead worker. Not when the store was away, or we were, for
// so long that the living can't have renewed theirs either: first they all get the time to.
bool Worker::can_judge() const { return heard_at_ - trusted_since_ >= desk_.options.lease / 2; }

void Worker::hear(const Status& answer) {
  const SteadyTime now = desk_.parts.clock.steady_now();
  if (!answer || now - heard_at_ > desk_.options.lease / 2) trusted_since_ = now;
  if (answer) heard_at_ = now;
}

// Jobs begun with an encoder, or waiting for an engine, that no live worker has. All workers first
// get the time to report.
void Worker::degrade_orphans(SteadyTime now) {
  if (now - trusted_since_ < 2 * kEncoderPatience) return;
  const std::string last = desk_.parts.renderer.encoders().back().name;
  const Result<std::vector<jobs::Degraded>> degraded =
      desk_.parts.tasks.degrade(last, kEncoderPatience);
  if (!degraded) return;
  for (const jobs::Degraded& one : *degraded) {
    desk_.parts.metrics.degraded(one.from, one.to);
    desk_.parts.log.warning("encoder_degraded", {{"job_id", one.job_id},
                                                 {"from", one.from},
                                                 {"to", one.to},
                                                 {"reason", "no live worker has it"}});
  }
  const auto released = desk_.parts.tasks.release_engines(kEncoderPatience);
  if (!released) return;
  for (const std::string& job : *released) {
    desk_.parts.log.warning("engine_orphaned",
                            {{"job_id", job}, {"reason", "no live worker has the engine"}});
  }
}

void Worker::reap() {
  const Result<std::vector<jobs::Reaped>> reaped = desk_.parts.tasks.reap();
  if (!reaped) return hear(reaped.failure());
  for (const jobs::Reaped& one : *reaped) {
    desk_.parts.metrics.task_reaped(one.work);
    desk_.parts.log.warning("task_reaped", {{"job_id", one.job_id},
                                            {"work", name_of(one.work)},
                                            {"segment_id", one.segment},
                                            {"dead_holder", one.holder},
                                            {"crashes", one.crashes}});
    if (one.quarantined) {
      desk_.parts.log.error("job_quarantined", {{"job_id", one.job_id}});
      desk_.parts.metrics.fallback_used("template");
      desk_.parts.metrics.job_quarantined();
    }
    if (one.failed) desk_.parts.log.error("job_failed", {{"job_id", one.job_id}});
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
    states.push_back(std::move(state));
  }
  const std::lock_guard lock(mutex_);
  for (const Held& held : held_)
    ++(held.abandoned ? states[held.pool].lost : states[held.pool].busy);
  return states;
}

}  // namespace pytoon::worker
