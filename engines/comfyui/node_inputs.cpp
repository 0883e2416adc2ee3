#include "engines/comfyui/node_inputs.h"

#include <algorithm>
#include <map>
#include <optional>

namespace pytoon::engines {
namespace {

using Specs = std::map<std::string, const Json*>;  // of inputs, by the names of a prompt

const Json* options_of(const Json& spec) {
  const bool has = spec.is_array() && spec.size() > 1 && spec[1].is_object() &&
                   spec[1].contains("options") && spec[1]["options"].is_array();
  return has ? &spec[1]["options"] : nullptr;
}

bool is_dynamic(const Json& spec) {
  return spec.is_array() && !spec.empty() && spec[0] == "COMFY_DYNAMICCOMBO_V3";
}

void add_specs(const Json& groups, const std::string& prefix, const Json& inputs, int depth,
               Specs& specs);

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Under the name itself, or one of another form that ends alike; null when there is none.
const Json* chosen_in(const std::string& name, const Json& inputs) {
  if (inputs.contains(name)) return &inputs[name];
  for (const auto& [other, value] : inputs.items()) {
    if (last_part(other) == last_part(name)) return &value;
  }
  return nullptr;
}

// What the choice made brings along.
void add_chosen(const Json& spec, const std::string& name, const Json& inputs, int depth,
                Specs& specs) {
  const Json* const options = options_of(spec);
  const Json* const value = chosen_in(name, inputs);
  if (options == nullptr || value == nullptr) return;
  for (const Json& option : *options) {
    if (!option.is_object() || !option.contains("inputs")) continue;
    if (option.value("key", Json()) != *value) continue;
    add_specs(option["inputs"], name + ".", inputs, depth + 1, specs);
  }
}

void add_specs(const Json& groups, const std::string& prefix, const Json& inputs, int depth,
               Specs& specs) {
  constexpr int kDepthMax = 4;
  if (!groups.is_object() || depth > kDepthMax) return;
  for (const char* group : {"required", "optional"}) {
    if (!groups.contains(group) || !groups[group].is_object()) continue;
    for (const auto& [name, spec] : groups[group].items()) {
      specs.emplace(prefix + name, &spec);
      if (is_dynamic(spec)) add_chosen(spec, prefix + name, inputs, depth, specs);
    }
  }
}

Specs specs_of(const Json& class_info, const Json& inputs) {
  Specs specs;
  if (class_info.is_object() && class_info.contains("input")) {
    add_specs(class_info["input"], "", inputs, 0, specs);
  }
  return specs;
}

// Nothing when the input is no combo.
std::optional<std::vector<Json>> choices_of(const Json& spec) {
  if (!spec.is_array() || spec.empty()) return std::nullopt;
  if (spec[0].is_array()) return std::vector<Json>(spec[0].begin(), spec[0].end());
  const Json* const options = options_of(spec);
  if (options == nullptr || (spec[0] != "COMBO" && !is_dynamic(spec))) return std::nullopt;
  std::vector<Json> choices;
  for (const Json& option : *options) {
    choices.push_back(option.is_object() ? option.value("key", Json()) : option);
  }
  return choices;
}

// The only name the server knows that ends like this one; "" when there is none.
std::string known_as(const std::string& name, const Specs& specs) {
  std::string found;
  for (const auto& [known, spec] : specs) {
    if (last_part(known) != last_part(name)) continue;
    if (!found.empty()) return "";
    found = known;
  }
  return found;
}

}  // namespace

std::vector<Choice> unknown_choices(const Json& inputs, const Json& class_info) {
  const Specs specs = specs_of(class_info, inputs);
  std::vector<Choice> unknown;
  for (const auto& [name, value] : inputs.items()) {
    const auto spec = specs.find(name);
    if (spec == specs.end() || !value.is_string() || !slots_of(value).empty()) continue;
    const auto choices = choices_of(*spec->second);
    if (!choices || std::find(choices->begin(), choices->end(), value) != choices->end()) continue;
    unknown.push_back({name, value.get<std::string>()});
  }
  return unknown;
}

Json in_form_of(const Json& inputs, const Json& class_info) {
  const Specs specs = specs_of(class_info, inputs);
  Json renamed = Json::object();
  for (const auto& [name, value] : inputs.items()) {
    const std::string known = specs.contains(name) ? name : known_as(name, specs);
    const bool taken = known.empty() || (known != name && inputs.contains(known));
    renamed[taken ? name : known] = value;
  }
  return renamed;
}

}  // namespace pytoon::engines
