#include "engines/comfyui/workflow.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "base/json.h"
#include "engines/comfyui/node_inputs.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::engines {
namespace {

using spec::FieldReader;

constexpr std::int64_t kVramMax = std::int64_t{1} << 40;
constexpr std::chrono::seconds kUsualLoad{15};
constexpr std::chrono::seconds kUsualRun{60};
// Tiled decoding takes about a third of what decoding all at once does.
constexpr int kFullOverTiled = 3;

std::chrono::milliseconds seconds_of(FieldReader& r, const std::string& name,
                                     std::chrono::milliseconds usual) {
  if (!r.has(name)) return usual;
  return std::chrono::milliseconds(std::llround(r.number(name, 0, 3600) * 1000));
}

const std::set<std::string>& graph_slots() {
  static const std::set<std::string> slots{"prompt", "negative_prompt", "seed",
                                           "width",  "height",          "frames",
                                           "fps",    "filename_prefix", "image"};
  return slots;
}

// What a node saves that is not taken, as far as its class and inputs tell; "" when nothing does.
std::string saves_otherwise(const Json& node) {
  if (!node.contains("class_type") || !node["class_type"].is_string()) return "";
  const std::string type = node["class_type"].get<std::string>();
  if (type == "SaveImage" || type == "PreviewImage") return "single images";
  const Json inputs = node.value("inputs", Json::object());
  for (const char* name : {"format", "codec", "format.codec"}) {
    if (!inputs.is_object() || !inputs.contains(name) || !inputs[name].is_string()) continue;
    const std::string value = inputs[name].get<std::string>();
    for (const char* other : {"bit-png", "ffv1", "mpeg4"}) {
      if (value.find(other) != std::string::npos) return value;
    }
  }
  return "";
}

void check_graph(FieldReader& r, const Workflow& workflow) {
  if (workflow.graph.empty()) return r.fault("graph", "has no nodes");
  for (const auto& [id, node] : workflow.graph.items()) {
    const bool whole = node.is_object() && node.contains("class_type") &&
                       node["class_type"].is_string() && node.contains("inputs") &&
                       node["inputs"].is_object();
    if (!whole) r.fault("graph", "node " + id + " needs class_type and inputs");
  }
  const std::set<std::string> slots = slots_of(workflow.graph);
  for (const std::string& slot : slots) {
    if (!graph_slots().contains(slot)) r.fault("graph", "has no slot {{" + slot + "}}");
  }
  if (!slots.contains("filename_prefix")) r.fault("graph", "must use {{filename_prefix}}");
  for (const auto& [id, node] : workflow.graph.items()) {
    if (!node.is_object() || !slots_of(node).contains("filename_prefix")) continue;
    if (const std::string other = saves_otherwise(node); !other.empty()) {
      r.fault("graph", "node " + id + " saves " + other +
                           ": a clip is taken (MP4, WebM, MKV, MOV, " +
                           "animated WebP, PNG or GIF), as SaveVideo writes with format mp4");
    }
  }
  if (slots.contains("image") != workflow.needs_image) {
    r.fault("needs_image", "must say whether the graph uses {{image}}");
  }
}

void read_frames(const Json& json, Workflow& workflow, std::vector<FieldFault>& faults) {
  FieldReader r(json, "/frames", faults);
  workflow.frames_step = static_cast<int>(r.whole("step", 1, 64));
  workflow.frames_plus = static_cast<int>(r.whole("plus", 0, 63));
  workflow.frames_max = static_cast<int>(r.whole("max", 1, 4096));
  r.finish();
}

void check_node(const Json& node, const Json& info, std::vector<std::string>& missing) {
  const std::string type = node["class_type"].get<std::string>();
  for (const auto& [input, value] : unknown_choices(in_form_of(node["inputs"], info), info)) {
    missing.push_back("\"" + value + "\" is no choice of " + type + "." + input +
                      ": install the file or change the workflow");
  }
}

}  // namespace

int Workflow::frames_for(int seconds) const {
  const int wanted = seconds * fps;
  const int steps = std::max(0, (wanted - frames_plus + frames_step - 1) / frames_step);
  return std::min(steps * frames_step + frames_plus, frames_max);
}

bool Workflow::draws(const FootageRequest& request) const {
  const bool drawn =
      std::find(archetypes.begin(), archetypes.end(), request.archetype) != archetypes.end();
  return drawn && (request.image || !needs_image);
}

Result<Workflow> read_workflow(const std::filesystem::path& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.failure();
  const Json json = parse_json<Json>(*text);
  if (!json.is_object())
    return failure(FailureKind::kInvalid, file.string() + ": is no JSON object");
  std::vector<FieldFault> faults;
  FieldReader r(json, "", faults);
  Workflow workflow;
  workflow.name = file.stem().string();
  r.text("description", 1, 2000);
  for (const std::string& name : r.texts("archetypes", 3, 40)) {
    if (const auto archetype = spec::from_name<spec::Archetype>(name)) {
      workflow.archetypes.push_back(*archetype);
    } else {
      r.fault("archetypes", "must hold " + spec::one_of(spec::all_names<spec::Archetype>()));
    }
  }
  workflow.needs_image = r.truth("needs_image");
  workflow.redraws = r.truth("redraws");
  workflow.width = static_cast<int>(r.whole("width", 16, 4096));
  workflow.height = static_cast<int>(r.whole("height", 16, 4096));
  workflow.fps = static_cast<int>(r.whole("fps", 1, 120));
  if (const Json* const part = r.object("frames")) read_frames(*part, workflow, faults);
  workflow.vram_bytes = r.whole("vram_bytes", 0, kVramMax);
  workflow.weights_bytes =
      r.has("weights_bytes") ? r.whole("weights_bytes", 0, kVramMax) : workflow.vram_bytes / 2;
  if (workflow.weights_bytes > workflow.vram_bytes) {
    r.fault("weights_bytes", "is part of vram_bytes and can't be larger");
  }
  workflow.load = seconds_of(r, "load_seconds", kUsualLoad);
  workflow.run = seconds_of(r, "run_seconds", kUsualRun);
  if (r.has("negative_prompt")) workflow.negative_prompt = r.text("negative_prompt", 0, 2000);
  if (const Json* const graph = r.object("graph")) workflow.graph = *graph;
  check_graph(r, workflow);
  r.finish();
  if (faults.empty()) return workflow;
  Failure failed = spec::invalid(std::move(faults));
  failed.detail = file.string() + ": " + failed.detail;
  return failed;
}

std::string too_old(const Json& system_stats) {
  constexpr std::array kLeast{0, 3, 57};
  const Json::json_pointer at("/system/comfyui_version");
  if (!system_stats.contains(at) || !system_stats.at(at).is_string()) return "";
  const std::string text = system_stats.at(at).get<std::string>();
  std::array<int, 3> version{};
  if (std::sscanf(text.c_str(), "%d.%d.%d", &version[0], &version[1], &version[2]) != 3) return "";
  if (version >= kLeast) return "";
  return "ComfyUI " + text + " can't stop one prompt and not another: 0.3.57 or newer is needed";
}

Json with_tiled_decoding(Json graph) {
  for (Json& node : graph) {
    if (node["class_type"] != "VAEDecode") continue;
    node["class_type"] = "VAEDecodeTiled";
    node["inputs"].update(
        Json{{"tile_size", 512}, {"overlap", 64}, {"temporal_size", 64}, {"temporal_overlap", 8}});
  }
  return graph;
}

WorkflowPrior prior_of(const Workflow& workflow) {
  WorkflowPrior prior;
  std::set<std::string> files;
  bool tiles_itself = true;
  for (const Json& node : workflow.graph) {
    if (node["class_type"] == "VAEDecode") tiles_itself = false;
    for (const Json& value : node["inputs"]) {
      if (value.is_string() && value.get<std::string>().ends_with(".safetensors")) {
        files.insert(value.get<std::string>());
      }
    }
  }
  for (const std::string& file : files) prior.model += (prior.model.empty() ? "" : "+") + file;
  if (prior.model.empty()) prior.model = workflow.name;
  prior.weights_bytes = workflow.weights_bytes;
  prior.tiled_bytes = workflow.vram_bytes - workflow.weights_bytes;
  prior.working_bytes = tiles_itself ? prior.tiled_bytes : prior.tiled_bytes * kFullOverTiled;
  prior.load = workflow.load;
  prior.run = workflow.run;
  return prior;
}

std::vector<std::string> classes_of(const Workflow& workflow) {
  std::set<std::string> classes;
  for (const Json& node : workflow.graph) classes.insert(node["class_type"].get<std::string>());
  return {classes.begin(), classes.end()};
}

std::vector<std::string> missing_for(const Workflow& workflow, const Json& info) {
  std::vector<std::string> missing;
  std::set<std::string> absent;
  for (const Json& node : workflow.graph) {
    const std::string type = node["class_type"].get<std::string>();
    if (info.is_object() && info.contains(type)) {
      check_node(node, info[type], missing);
      const Json saves = info[type].is_object() ? info[type].value("output_node", Json()) : Json();
      if (slots_of(node).contains("filename_prefix") && saves == false) {
        missing.push_back(type + " gets {{filename_prefix}} but saves nothing");
      }
    } else if (absent.insert(type).second) {
      missing.push_back("it has no node " + type);
    }
  }
  return missing;
}

Json in_form_of_server(Json graph, const Json& info) {
  for (Json& node : graph) {
    const std::string type = node["class_type"].get<std::string>();
    if (info.is_object() && info.contains(type)) {
      node["inputs"] = in_form_of(node["inputs"], info[type]);
    }
  }
  return graph;
}

}  // namespace pytoon::engines
