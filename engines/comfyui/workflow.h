// A ComfyUI graph with named slots, from config/workflows/*.json, and what is known about it.
//
// Slots: prompt, negative_prompt, seed, width, height, frames, fps, filename_prefix (needed) and
// image (needed by those that start from one). Thread rule: plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/placeholders.h"
#include "engines/prompt_admission.h"

namespace pytoon::engines {

struct Workflow {
  std::string name;  // of its file
  std::vector<spec::Archetype> archetypes;
  bool needs_image = false;
  bool redraws = true;
  int width = 0;
  int height = 0;
  int fps = 0;
  // Clip lengths the model knows: a multiple of `frames_step` plus `frames_plus`.
  int frames_step = 1;
  int frames_plus = 0;
  int frames_max = 0;
  std::int64_t vram_bytes = 0;     // at its peak, with tiled VAE decoding; 0: needs no GPU memory
  std::int64_t weights_bytes = 0;  // of that, what its models take and keep
  std::chrono::milliseconds load{0};  // of the models
  std::chrono::milliseconds run{0};   // of a prompt whose models are loaded
  std::string negative_prompt;
  Json graph;

  int frames_for(int seconds) const;  // the next length that is enough, or the longest
  bool draws(const FootageRequest& request) const;
};

// The graph with VAE decoding in tiles: a third of the decode's memory, a little slower. The same
// graph when it decodes in tiles already, or not at all.
Json with_tiled_decoding(Json graph);
// What the file says of the workflow's resources. The model is named by the files that the graph
// loads: workflows of equal models share what lies in memory.
WorkflowPrior prior_of(const Workflow& workflow);

// All faults at once; the detail names the file.
Result<Workflow> read_workflow(const std::filesystem::path& file);

// What a server lacks for the workflow, each as a sentence: node classes, model files. `info` is
// its /object_info, of the graph's classes at least.
std::vector<std::string> missing_for(const Workflow& workflow, const Json& info);
// The graph with its inputs by the names that this server knows them by (node_inputs.h).
Json in_form_of_server(Json graph, const Json& info);
// Why a server must not be used at all, from its /system_stats; "" when it may. Before 0.3.57
// /interrupt stops whatever runs, also what somebody else asked for. Unknown versions may.
std::string too_old(const Json& system_stats);
// The classes of the graph, each once.
std::vector<std::string> classes_of(const Workflow& workflow);

}  // namespace pytoon::engines
