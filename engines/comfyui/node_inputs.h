// How a ComfyUI server describes the inputs of a node class (/object_info), and a graph's inputs in
// the form that it describes.
//
// A combo is a list of choices: [["a", "b"], {...}] of old, ["COMBO", {"options": ["a", "b"]}]
// since 0.3. A dynamic combo's choices bring inputs of their own:
//   "format": ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "mp4", "inputs": {"required":
//              {"codec": [...]}}}]}]
// which a prompt names with dots: {"format": "mp4", "format.codec": "h264"}. SaveVideo's codec
// stands beside its format on older servers, and beneath it on newer ones.
//
// Thread rule: pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/placeholders.h"

namespace pytoon::engines {

struct Choice {
  std::string input;
  std::string value;
};

// The values of a node's combos that are none of their choices. Slots are left alone.
std::vector<Choice> unknown_choices(const Json& inputs, const Json& class_info);

// The node's inputs by the names that the server knows: one that stands beneath a dynamic combo
// there, or no longer does, is renamed; all others stay.
Json in_form_of(const Json& inputs, const Json& class_info);

}  // namespace pytoon::engines
