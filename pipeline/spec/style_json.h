// JSON in and out of the parts that a Preset and a RenderSpec share. Faults are collected.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/failure.h"
#include "pipeline/spec/preset.h"

namespace pytoon::spec {

CaptionStyle read_caption_style(const nlohmann::ordered_json& json, const std::string& pointer,
                                std::vector<FieldFault>& faults);
Transition read_transition(const nlohmann::ordered_json& json, const std::string& pointer,
                           std::vector<FieldFault>& faults);
// with_ducking: the RenderSpec's audio_plan also says duck_music.
AudioLevels read_audio_levels(const nlohmann::ordered_json& json, const std::string& pointer,
                              std::vector<FieldFault>& faults, bool with_ducking);
OverlayFx read_overlay_fx(const nlohmann::ordered_json& json, const std::string& pointer,
                          std::vector<FieldFault>& faults);
nlohmann::ordered_json to_json(const CaptionStyle& style);
nlohmann::ordered_json to_json(const Transition& transition);
nlohmann::ordered_json to_json(const OverlayFx& fx);

}  // namespace pytoon::spec
