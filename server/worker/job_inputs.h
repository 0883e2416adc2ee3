// A job's files as the renderer wants them: from storage keys to paths and hashes.
//
// Thread rule: any thread. Blocks on reading every file once, to be sure of its bytes.
#pragma once

#include "pipeline/render/renderer.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

// kNotFound, "lost input: ...", for a file that is gone or has other bytes than were uploaded.
// A brand-safe job gets the first logo there is in storage of brand/logo.png, brand/watermark.png
// and assets/brand_logo.png; none is fine.
Result<render::Inputs> fetch_inputs(const jobs::Job& job, jobs::JobStore& store,
                                    jobs::ObjectStore& storage);

}  // namespace pytoon::worker
