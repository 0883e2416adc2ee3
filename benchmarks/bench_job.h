// What the benchmarks' tools share that make whole jobs: a job from a request file, and medians.
//
// Thread rule: pure functions, but for the files that are read.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "pipeline/render/renderer.h"
#include "server/app/config.h"

namespace pytoon::bench {

// The images and clips that the request names by their paths beside it, with seed 1. No encoder is
// chosen.
Result<render::RenderJob> read_job(const std::filesystem::path& request_file,
                                   const app::Config& config);

double median(std::vector<double> values);  // one at least

}  // namespace pytoon::bench
