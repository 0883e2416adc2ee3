#include "server/worker/job_run.h"

#include <algorithm>
#include <exception>

namespace pytoon::worker {
using jobs::JobStatus;

namespace {

// A machine that refuses this often in a row is not going to give in.
constexpr int kTransientFailuresMax = 5;
constexpr int kSegmentsPct = 95;

}  // namespace

JobRun::JobRun(jobs::Claim claim, const RunParts& parts, const RunOptions& options)
    : parts_(parts),
      options_(options),
      lease_(std::move(claim.lease)),
      job_(std::move(claim.job)),
      footage_(claim.segments.size(), render::Footage::kImages),
      slots_(claim.segments.size()),
      renew_at_(parts.clock.steady_now() + options.lease / 4),
      published_pct_(job_.progress_pct) {
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].row = claim.segments[i];
}

bool JobRun::has_work() const {
  const std::lock_guard lock(mutex_);
  if (end_ != End::kNone || parts_.clock.steady_now() < wake_at_) return false;
  if (stage_ != Stage::kSegments) return !stage_taken_;
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return slot.state == Slot::State::kPending; });
}

std::optional<JobRun::Unit> JobRun::take() {
  const std::lock_guard lock(mutex_);
  if (end_ != End::kNone || parts_.clock.steady_now() < wake_at_) return std::nullopt;
  if (stage_ != Stage::kSegments) {
    if (stage_taken_) return std::nullopt;
    stage_taken_ = true;
    if (stage_ == Stage::kKeys) keys_changed_ = false;
    ++running_;
    return Unit{stage_, 0, render_job_, ""};
  }
  const auto pending = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.state == Slot::State::kPending;
  });
  if (pending == slots_.end()) return std::nullopt;
  pending->state = Slot::State::kRunning;
  ++running_;
  const auto index = static_cast<std::size_t>(pending - slots_.begin());
  return Unit{Stage::kSegments, index, render_job_, pending->key};
}

JobRun::Step JobRun::step() {
  const std::optional<Unit> unit = take();
  if (!unit) return over() ? Step::kOver : Step::kNothing;
  settle(*unit, attempt(*unit));
  return over() ? Step::kOver : Step::kWorked;
}

JobRun::Outcome JobRun::attempt(const Unit& unit) {
  try {
    const Status done = perform(unit);
    return done ? Outcome::kOk : judge(unit, done.failure());
  } catch (const std::exception& error) {
    parts_.log.error("job_runner_crash",
                     {{"job_id", job_.id}, {"attempt", job_.attempts + 1}, {"what", error.what()}});
    return Outcome::kCrashed;
  }
}

JobRun::Outcome JobRun::judge(const Unit& unit, const Failure& failure) {
  if (cancel_.cancelled()) return Outcome::kAgain;  // whatever it was: we were told to stop
  if (failure.kind == FailureKind::kConflict) {
    const Status held = parts_.store.check(lease_);
    if (!held && held.failure().kind == FailureKind::kConflict) return Outcome::kLost;
  }
  bool wait =
      failure.kind == FailureKind::kStorageFull || failure.kind == FailureKind::kUnavailable;
  if (failure.kind == FailureKind::kIo || failure.kind == FailureKind::kOutOfMemory) {
    const std::lock_guard lock(mutex_);
    wait = ++io_failures_ <= kTransientFailuresMax;
  }
  if (wait) {
    parts_.log.warning("job_waits", {{"job_id", job_.id}, {"reason", failure.detail}});
    return Outcome::kBackOff;
  }
  if (unit.stage == Stage::kSegments) {
    const auto other = decide_after(failure, parts_.renderer, unit.job->encoder);
    return other ? change_encoder(unit, *other) : segment_failed(unit, failure);
  }
  if (unit.stage == Stage::kInputs && failure.kind == FailureKind::kNotFound) {
    return fail_job("lost-input", failure.detail);
  }
  const bool segments_broken =
      failure.kind == FailureKind::kNotFound || failure.kind == FailureKind::kMedia;
  if (unit.stage == Stage::kAssemble && segments_broken && !rechecked_) {
    parts_.log.warning("segments_rechecked", {{"job_id", job_.id}, {"reason", failure.detail}});
    rechecked_ = true;
    return Outcome::kKeysChanged;
  }
  return fail_job(std::string(traits(failure.kind).label), failure.detail);
}

JobRun::Outcome JobRun::fail_job(const std::string& reason, const std::string& detail) {
  const Status moved = move_to_end({JobStatus::kFailed, detail});
  if (!moved) return judge_store(moved.failure());
  parts_.metrics.job_failed(job_.spec.archetype, reason);
  parts_.log.error("job_failed", {{"job_id", job_.id}, {"reason", reason}, {"error", detail}});
  return Outcome::kDone;
}

// beat() must not take our own ending for a lost lease.
Status JobRun::move_to_end(const jobs::JobStore::Move& move) {
  ending_ = true;
  Status moved = parts_.store.move(lease_, move);
  if (!moved) ending_ = false;
  return moved;
}

// A write that was refused: somebody else has the job, or the store is in trouble.
JobRun::Outcome JobRun::judge_store(const Failure& failure) {
  return failure.kind == FailureKind::kConflict ? Outcome::kLost : Outcome::kBackOff;
}

void JobRun::settle(const Unit& unit, Outcome outcome) {
  std::unique_lock lock(mutex_);
  --running_;
  if (unit.stage == Stage::kSegments) {
    settle_segment(unit, outcome);
  } else {
    settle_stage(unit, outcome);
  }
  switch (outcome) {
    case Outcome::kOk:
      delay_ = std::chrono::milliseconds(0);
      io_failures_ = 0;
      break;
    case Outcome::kBackOff:
      delay_ = std::clamp(delay_ * 2, options_.back_off, options_.back_off_max);
      wake_at_ = parts_.clock.steady_now() + delay_;
      break;
    case Outcome::kDone:
      end(End::kDone);
      break;
    case Outcome::kLost:
      end(End::kLost);
      break;
    case Outcome::kCrashed:
      end(End::kCrashed);
      break;
    case Outcome::kAgain:
    case Outcome::kKeysChanged:
      break;
  }
  close_if_last(lock);
}

void JobRun::settle_segment(const Unit& unit, Outcome outcome) {
  Slot& slot = slots_[unit.segment];
  const bool done = outcome == Outcome::kOk && slot.key == unit.key;
  slot.state = done ? Slot::State::kDone : Slot::State::kPending;
  slot.frames = done ? slot.frame_count : 0;
  if (done) slot.failures = 0;
  if (outcome == Outcome::kKeysChanged) {
    stage_ = Stage::kKeys;
    keys_changed_ = true;
  }
  const bool all = std::all_of(slots_.begin(), slots_.end(),
                               [](const Slot& s) { return s.state == Slot::State::kDone; });
  if (stage_ == Stage::kSegments && all) stage_ = Stage::kAssemble;
}

void JobRun::settle_stage(const Unit& unit, Outcome outcome) {
  stage_taken_ = false;
  if (outcome == Outcome::kKeysChanged) stage_ = Stage::kKeys;
  if (outcome != Outcome::kOk) return;
  if (unit.stage == Stage::kFinish) {
    end(End::kDone);
    return;
  }
  if (unit.stage == Stage::kKeys && keys_changed_) return;  // once more
  stage_ = static_cast<Stage>(static_cast<int>(unit.stage) + 1);
  const bool all = std::all_of(slots_.begin(), slots_.end(),
                               [](const Slot& slot) { return slot.state == Slot::State::kDone; });
  if (stage_ == Stage::kSegments && all) stage_ = Stage::kAssemble;
}

void JobRun::end(End how) {
  if (end_ != End::kNone) return;
  end_ = how;
  cancel_.cancel();
}

void JobRun::close_if_last(std::unique_lock<std::mutex>& lock) {
  if (end_ == End::kNone || running_ > 0 || closing_) return;
  closing_ = true;
  const End how = end_;
  lock.unlock();
  try {
    close(how);
  } catch (const std::exception& error) {
    parts_.log.error("job_runner_crash", {{"job_id", job_.id}, {"what", error.what()}});
  }
  over_ = true;
}

void JobRun::close(End how) {
  if (how == End::kLost) explain_loss();
  if (how != End::kStopped && how != End::kCrashed) return;
  const bool crashed = how == End::kCrashed;
  const Status released =
      parts_.store.release(lease_, crashed ? jobs::Ending::kCrashed : jobs::Ending::kHandedBack,
                           crashed ? options_.back_off : std::chrono::milliseconds(0));
  if (!released) {
    parts_.log.warning("lease_not_released",
                       {{"job_id", job_.id}, {"reason", released.failure().detail}});
  }
}

void JobRun::explain_loss() {
  const Result<jobs::Job> now = parts_.store.job(job_.id);
  const std::string status = now ? std::string(name_of(now->status)) : "unknown";
  if (now && now->status == JobStatus::kFailed) {
    parts_.metrics.job_failed(job_.spec.archetype, "operator");
  }
  parts_.log.warning("job_lost", {{"job_id", job_.id}, {"status", status}});
}

void JobRun::stop() {
  std::unique_lock lock(mutex_);
  end(End::kStopped);
  close_if_last(lock);
}

void JobRun::beat() {
  {
    const std::lock_guard lock(mutex_);
    if (end_ != End::kNone) return;
  }
  try {
    Status held = parts_.store.check(lease_);
    if (held && parts_.clock.steady_now() >= renew_at_) {
      held = parts_.store.renew(lease_, options_.lease);
      if (held) renew_at_ = parts_.clock.steady_now() + options_.lease / 4;
    }
    if (!held && held.failure().kind == FailureKind::kConflict) {
      if (ending_) return;
      std::unique_lock lock(mutex_);
      end(End::kLost);
      close_if_last(lock);
    } else {
      publish_progress();
    }
  } catch (const std::exception& error) {
    parts_.log.error("job_runner_crash", {{"job_id", job_.id}, {"what", error.what()}});
  }
}

void JobRun::publish_progress() {
  int pct = 0;
  {
    const std::lock_guard lock(mutex_);
    std::int64_t frames = 0;
    std::int64_t total = 0;
    for (const Slot& slot : slots_) {
      frames += slot.frames;
      total += slot.frame_count;
    }
    if (total > 0) pct = static_cast<int>(kSegmentsPct * frames / total);
    if (stage_ > Stage::kAssemble) {
      pct = kSegmentsPct + static_cast<int>(stage_) - static_cast<int>(Stage::kAssemble);
    }
  }
  if (pct <= published_pct_) return;
  if (parts_.store.put_progress(lease_, pct)) published_pct_ = pct;
}

double JobRun::seconds_since(SteadyTime began) const {
  return std::chrono::duration<double>(parts_.clock.steady_now() - began).count();
}

std::vector<jobs::Segment> JobRun::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<jobs::Segment> rows;
  rows.reserve(slots_.size());
  for (const Slot& slot : slots_) rows.push_back(slot.row);
  return rows;
}

}  // namespace pytoon::worker
