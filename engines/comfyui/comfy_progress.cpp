#include "engines/comfyui/comfy_progress.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "engines/comfyui/reply.h"

namespace pytoon::engines {
namespace {

constexpr double kSamplerWeight = 20;

// KSampler, KSamplerAdvanced, SamplerCustom...; KSamplerSelect only names one.
bool samples(const std::string& node_class) {
  return node_class.find("Sampler") != std::string::npos && !node_class.ends_with("Select");
}

double number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

ComfyProgress::ComfyProgress(const Json& graph, std::string prompt_id)
    : prompt_id_(std::move(prompt_id)) {
  for (const auto& [id, node] : graph.items()) {
    nodes_[id].weight = samples(text_of(node, "class_type")) ? kSamplerWeight : 1;
  }
}

void ComfyProgress::note(const std::string& node, double done) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || !std::isfinite(done)) return;
  found->second.done = std::max(found->second.done, std::clamp(done, 0.0, 1.0));
}

void ComfyProgress::note_steps(const std::string& node, const Json& facts) {
  const double all = number_of(facts, "max");
  if (all > 0) note(node, number_of(facts, "value") / all);
}

void ComfyProgress::note_state(const Json& nodes) {
  for (const auto& [id, facts] : nodes.items()) {
    if (!facts.is_object()) continue;
    if (text_of(facts, "state") == "finished") {
      note(id, 1);
    } else {
      note_steps(id, facts);
    }
  }
}

// One node begins when the one before is done; none begins when all are.
void ComfyProgress::note_executing(const Json& node) {
  if (node.is_null()) ended_ = true;
  const std::string begun = node.is_string() ? node.get<std::string>() : "";
  if (begun != running_) note(running_, 1);
  running_ = begun;
}

void ComfyProgress::take(const std::string& message) {
  const Json json = parse_json<Json>(message);
  if (!json.is_object() || !json.contains("data") || !json["data"].is_object()) return;
  const Json& data = json["data"];
  if (text_of(data, "prompt_id") != prompt_id_) return;
  const std::string type = text_of(json, "type");
  if (type == "execution_success" || type == "execution_error" || type == "execution_interrupted") {
    ended_ = true;
  } else if (type == "executing" && data.contains("node")) {
    note_executing(data["node"]);
  } else if (type == "executed") {
    note(text_of(data, "node"), 1);
  } else if (type == "progress") {
    note_steps(text_of(data, "node"), data);
  } else if (type == "progress_state" && data.contains("nodes") && data["nodes"].is_object()) {
    note_state(data["nodes"]);
  } else if (type == "execution_cached" && data.contains("nodes") && data["nodes"].is_array()) {
    for (const Json& node : data["nodes"]) {
      if (node.is_string()) note(node.get<std::string>(), 1);
    }
  }
  double all = 0;
  double done = 0;
  for (const auto& [id, node] : nodes_) {
    all += node.weight;
    done += node.weight * node.done;
  }
  if (all > 0) share_ = std::max(share_, done / all);
}

}  // namespace pytoon::engines
