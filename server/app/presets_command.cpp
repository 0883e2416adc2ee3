#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/app/commands.h"

namespace pytoon::app {

int list_presets(const Config& config, bool json) {
  if (json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [id, preset] : config.catalogue.presets) list.push_back(to_json(preset));
    std::cout << json_text(nlohmann::ordered_json{{"presets", list}}, 2) << "\n";
    return 0;
  }
  std::cout << std::left << std::setw(22) << "id" << std::setw(14) << "archetype" << std::setw(12)
            << "brand-safe" << std::setw(17) << "policy" << std::setw(13) << "font"
            << "motion\n";
  for (const auto& [id, preset] : config.catalogue.presets) {
    std::cout << std::setw(22) << id << std::setw(14) << spec::name_of(preset.archetype)
              << std::setw(12) << (preset.brand_safe ? "yes" : "no") << std::setw(17)
              << spec::name_of(preset.engine_policy) << std::setw(13) << preset.caption_style.font
              << spec::name_of(preset.motion_profile) << "\n";
  }
  return 0;
}

}  // namespace pytoon::app
