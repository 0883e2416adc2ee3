// Foretells what a planned job would take and when it would be done, from what is known now: the
// engines that are configured, the workers that are live, the cards as the promise ledger knows
// them, learned workflow profiles and the pace of late. Works in any process, also one without a
// GPU: a segment's cost is computed for the GPU of a worker.
//
// Thread rule: any thread. Blocks on the database for some round trips, and for a job's first
// captions on drawing them. What can't be asked now makes an estimate unknown, not an error.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engines/engine_chain.h"
#include "pipeline/render/renderer.h"
#include "pipeline/spec/job_request.h"
#include "pipeline/spec/preset.h"
#include "server/jobs/admission/controller.h"
#include "server/jobs/admission/profile_store.h"
#include "server/jobs/admission/promise_ledger.h"
#include "server/jobs/job_estimate.h"
#include "server/jobs/job_store.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::jobs {

struct EstimateOptions {
  // What the files of workflows say that run on our own cards, by workflow.
  std::map<std::string, admission::Profile> workflows = {};
  std::int64_t micro_usd_per_job_max = 0;  // the spend cap; 0: no remote engine is paid
  int gpu_pieces_at_once = 4;              // of a segment that a GPU composes and x264 encodes
};

class JobEstimator {
 public:
  // All must outlive it.
  struct Parts {
    JobStore& store;
    WorkerRegistry& fleet;
    admission::PromiseLedger& promises;
    admission::ProfileStore& profiles;
    render::Renderer& renderer;
    engines::EngineChain& engine_chain;
    const spec::PresetTable& presets;
  };

  JobEstimator(Parts parts, EstimateOptions options)
      : parts_(parts), options_(std::move(options)) {}

  // The job must have been planned from that request, and not be stored.
  JobEstimate estimate(const Job& job, const spec::JobRequest& request) const;

 private:
  const Parts parts_;
  const EstimateOptions options_;
};

}  // namespace pytoon::jobs
