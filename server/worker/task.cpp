#include "server/worker/task.h"

#include <exception>

#include "base/hash.h"
#include "server/worker/job_inputs.h"

namespace pytoon::worker {
using jobs::Ending;
using jobs::Work;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kNap{100};
constexpr milliseconds kLongestGoodbye{5000};

// Counted by the store's clock, so that no new worker and no restart gives a job more time.
SteadyTime engines_until(const jobs::Claim& claim, const Desk& desk) {
  const WallTime began = claim.job.taken_at.value_or(claim.leased_at);
  const milliseconds time =
      desk.options.job_time.for_engines(claim.job.spec.target_duration_seconds);
  return desk.parts.clock.steady_now() + time - (claim.leased_at - began);
}

}  // namespace

Task::Task(jobs::Claim claim, Desk& desk)
    : claim_(std::move(claim)), desk_(desk), engines_until_(engines_until(claim_, desk)) {}

bool machine_away(const Failure& failure) {
  return failure.kind == FailureKind::kStorageFull || failure.kind == FailureKind::kUnavailable ||
         failure.kind == FailureKind::kTimeout;
}

bool intact(const std::string& key, const std::string& sha256, jobs::ObjectStore& storage) {
  const Result<std::filesystem::path> file = storage.local(key);
  if (!file) return false;
  const Result<std::string> found = sha256_file(*file);
  return found && *found == sha256;
}

bool intact(const jobs::Segment& segment, jobs::ObjectStore& storage) {
  return segment.status == jobs::SegmentStatus::kDone &&
         intact(segment.artifact_key, segment.artifact_sha256, storage);
}

void Task::stop(Stop why) {
  Stop none = Stop::kNone;
  if (stop_.compare_exchange_strong(none, why)) cancel_.cancel();
}

nlohmann::ordered_json Task::about() const {
  nlohmann::ordered_json fields{{"job_id", claim_.job.id}};
  if (claim_.lease.segment >= 0) fields["segment_id"] = claim_.lease.segment;
  return fields;
}

void Task::run() {
  try {
    const Status done = perform();
    if (done) {
      desk_.patience.succeeded();
    } else {
      judge(done.failure());
    }
  } catch (const std::exception& error) {
    nlohmann::ordered_json fields = about();
    fields["work"] = name_of(claim_.lease.work);
    fields["what"] = error.what();
    desk_.parts.log.error("job_runner_crash", fields);
    give_back(Ending::kCrashed, desk_.options.back_off);
  }
}

Status Task::perform() {
  switch (claim_.lease.work) {
    case Work::kPrepare:
      return prepare();
    case Work::kFootage:
      return decide_footage();
    case Work::kSound:
      return make_sound();
    case Work::kRender:
      return render();
    case Work::kFinish:
      return finish();
  }
  CHECK(false, "a kind of work has no step");
}

void Task::give_back(Ending ending, milliseconds delay) {
  const SteadyTime began = desk_.parts.clock.steady_now();
  try {
    for (;;) {
      const Status released = desk_.parts.tasks.release(claim_.lease, ending, delay);
      if (released || released.failure().kind == FailureKind::kConflict) return;
      nlohmann::ordered_json fields = about();
      fields["reason"] = released.failure().detail;
      desk_.parts.log.warning("lease_not_released", fields);
      const bool late = desk_.parts.clock.steady_now() - began > kLongestGoodbye;
      if (!machine_away(released.failure()) || stop_ == Stop::kLost) return;
      if (stop_ == Stop::kLeaving && late) return;
      wait_for_store();
    }
  } catch (const std::exception& error) {
    desk_.parts.log.error("job_runner_crash", {{"job_id", claim_.job.id}, {"what", error.what()}});
  }
}

Status Task::commit(const std::function<Status()>& write) {
  for (;;) {
    Status done = write();
    if (done || !machine_away(done.failure()) || stopped()) return done;
    nlohmann::ordered_json fields = about();
    fields["reason"] = done.failure().detail;
    desk_.parts.log.warning("job_waits", fields);
    wait_for_store();
  }
}

void Task::wait_for_store() {
  const milliseconds delay = desk_.patience.next_delay();
  waits_ = true;
  milliseconds slept{0};
  do {
    desk_.parts.clock.sleep_for(kNap);
    slept += kNap;
  } while (slept < delay && !stopped());
  waits_ = false;
}

Result<render::RenderJob> Task::order() { return job_for_keys(claim_, desk_.inputs); }

}  // namespace pytoon::worker
