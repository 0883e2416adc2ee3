#include "pipeline/spec/platform.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

Result<PlatformTable> read_platforms(const std::filesystem::path& platforms_yaml) {
  Result<Json> json = read_yaml(platforms_yaml);
  if (!json) return json.failure();
  std::vector<FieldFault> faults;
  FieldReader r(*json, "", faults);
  PlatformTable table;
  SafeZone all;
  if (const Json* platforms = r.object("platforms")) {
    for (const auto& item : platforms->items()) {
      FieldReader p(item.value(), "/platforms/" + item.key(), faults);
      SafeZone zone;
      zone.top = static_cast<int>(p.whole("top_px", 0, 900));
      zone.right = static_cast<int>(p.whole("right_px", 0, 500));
      zone.bottom = static_cast<int>(p.whole("bottom_px", 0, 900));
      zone.left = static_cast<int>(p.whole("left_px", 0, 500));
      static_cast<void>(p.text("source", 1, 400));
      p.finish();
      all = {std::max(all.top, zone.top), std::max(all.right, zone.right),
             std::max(all.bottom, zone.bottom), std::max(all.left, zone.left)};
      table.emplace(item.key(), zone);
    }
  }
  r.finish();
  if (!faults.empty()) {
    Failure failed = invalid(std::move(faults));
    failed.detail = platforms_yaml.string() + ": " + failed.detail;
    return failed;
  }
  table["universal"] = all;
  return table;
}

}  // namespace pytoon::spec
