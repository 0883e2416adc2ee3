// A trace: one world for the simulator, read from a file (format in README.md). Sizes are GiB and
// times seconds since the beginning, as the file has them; what a task truly takes is in here and
// hidden from the policies.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::benchmark {

struct Model {
  std::string name;
  double weights_gib = 0;
  double sampling_gib = 0;  // working set while it samples, over the weights
  double decode_gib = 0;    // peak of the VAE decode
  double run_s = 0;
  double load_s = 0;
  double api_usd = 0;
  double api_latency_s = 0;
};

struct Workflow {
  std::size_t model = 0;
  double run_s = 0;
};

struct GenerationSpec {
  std::size_t workflow = 0;
  double scale = 1;  // of the true working set against the model's usual one
  double run_s = 0;
};

struct SegmentSpec {
  double gib = 0;
  double run_s = 0;
};

struct JobSpec {
  double at_s = 0;
  int priority = 0;
  bool local_preferred = false;
  std::vector<GenerationSpec> generations;
  std::vector<SegmentSpec> segments;
};

struct EventSpec {
  enum class Kind { kForeign, kRestart, kDeath, kStall };
  double at_s = 0;
  Kind kind = Kind::kForeign;
  std::size_t gpu = 0;
  double value = 0;  // GiB more or less of kForeign, seconds of kStall
};

struct GpuSpec {
  double total_gib = 0;
  bool dynamic = false;  // ComfyUI is a dynamic-VRAM build
};

struct Trace {
  std::uint64_t seed = 0;
  double load = 0;
  double seconds = 0;
  std::vector<GpuSpec> gpus;
  std::vector<Model> models;
  std::vector<Workflow> workflows;
  std::vector<JobSpec> jobs;
  std::vector<EventSpec> events;

  const Model& model_of(const GenerationSpec& spec) const {
    return models[workflows[spec.workflow].model];
  }
};

// kMalformed names the line.
Result<Trace> read_trace(std::istream& in);

}  // namespace pytoon::benchmark
