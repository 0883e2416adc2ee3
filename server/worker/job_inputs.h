// What a task gets to see of its job: the files and hashes that it needs and no others, so that a
// job costs storage what its segments need, however many of them there are.
//
// Thread rule: any thread. Blocks and fails as InputCache does.
#pragma once

#include "pipeline/render/renderer.h"
#include "server/jobs/task_store.h"
#include "server/worker/input_cache.h"

namespace pytoon::worker {

// The image or clip that a segment shows.
Result<render::Inputs> footage_inputs(const jobs::Job& job, int segment, InputCache& cache);
Result<render::Inputs> audio_inputs(const jobs::Job& job, InputCache& cache);

// Every file of the job, checked: whether it can be done at all. Engines' clips by their rows only.
Result<render::RenderJob> whole_job(const jobs::LeasedTask& leased, InputCache& cache);
// What content keys are made of: hashes, by rows alone but for the logo's.
Result<render::RenderJob> job_for_keys(const jobs::LeasedTask& leased, InputCache& cache);
// What drawing one segment takes, and its own content key (pipeline/plan/dependencies.h).
Result<render::RenderJob> job_for_segment(const jobs::LeasedTask& leased, int segment,
                                          InputCache& cache);

}  // namespace pytoon::worker
