// The checked inputs of the jobs that this process works on, so that twenty segments of a job read
// and hash its files once. Keeps the last few jobs.
//
// Thread rule: any thread. Blocks on reading every file of a job that is new here; a second asker
// of the same job waits for the first.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/render/renderer.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

class InputCache {
 public:
  // Both must outlive the cache.
  InputCache(jobs::JobStore& jobs, jobs::ObjectStore& storage) : jobs_(jobs), storage_(storage) {}

  // Errors: those of fetch_inputs().
  Result<render::Inputs> inputs_of(const jobs::Job& job);
  // Reads them anew the next time.
  void forget(const std::string& job_id);

 private:
  static constexpr std::size_t kJobsKept = 8;
  struct Slot {
    std::mutex mutex;
    std::optional<render::Inputs> inputs;
  };
  std::shared_ptr<Slot> slot_of(const std::string& job_id);

  jobs::JobStore& jobs_;
  jobs::ObjectStore& storage_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;
  std::vector<std::string> recent_;  // latest last
};

}  // namespace pytoon::worker
