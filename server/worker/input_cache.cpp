#include "server/worker/input_cache.h"

#include "server/worker/job_inputs.h"

namespace pytoon::worker {

std::shared_ptr<InputCache::Slot> InputCache::slot_of(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  std::erase(recent_, job_id);
  recent_.push_back(job_id);
  while (recent_.size() > kJobsKept) {
    slots_.erase(recent_.front());
    recent_.erase(recent_.begin());
  }
  std::shared_ptr<Slot>& slot = slots_[job_id];
  if (!slot) slot = std::make_shared<Slot>();
  return slot;
}

Result<render::Inputs> InputCache::inputs_of(const jobs::Job& job) {
  const std::shared_ptr<Slot> slot = slot_of(job.id);
  const std::lock_guard lock(slot->mutex);
  if (!slot->inputs) {
    Result<render::Inputs> inputs = fetch_inputs(job, jobs_, storage_);
    if (!inputs) return inputs.failure();
    slot->inputs = std::move(inputs).value();
  }
  return *slot->inputs;
}

void InputCache::forget(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  slots_.erase(job_id);
  std::erase(recent_, job_id);
}

}  // namespace pytoon::worker
