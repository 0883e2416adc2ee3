#include "pipeline/media/text/font_choice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/yaml.h"

namespace pytoon::media {
namespace {

using Json = nlohmann::ordered_json;

std::string text_in(const Json& object, const char* key) {
  const bool there = object.is_object() && object.contains(key) && object[key].is_string();
  return there ? object[key].get<std::string>() : "";
}

bool is_stretch(const std::string& word) {
  static const std::vector<std::string> kWords = {
      "ultra-condensed", "extra-condensed", "condensed",      "semi-condensed", "normal",
      "semi-expanded",   "expanded",        "extra-expanded", "ultra-expanded"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

Result<FontEntry> entry_of(const Json& item, const std::string& where) {
  const Json use = item.is_object() && item.contains("use") ? item["use"] : Json();
  FontEntry entry;
  entry.wanted = text_in(item, "wanted");
  entry.use.family = text_in(use, "family");
  entry.package = text_in(item, "package");
  if (entry.wanted.empty() || entry.use.family.empty() || entry.package.empty()) {
    return failure(FailureKind::kInvalid, where + ": needs wanted, use.family and package");
  }
  if (use.contains("weight")) {
    const Json& weight = use["weight"];
    if (!weight.is_number_integer() || weight < 100 || weight > 900) {
      return failure(FailureKind::kInvalid, where + ": use.weight is 100 to 900");
    }
    entry.use.weight = weight.get<int>();
  }
  if (use.contains("stretch")) {
    entry.use.stretch = text_in(use, "stretch");
    if (!is_stretch(entry.use.stretch)) {
      return failure(FailureKind::kInvalid, where + ": use.stretch is no CSS stretch");
    }
  }
  return entry;
}

}  // namespace

std::string FontChoice::name() const {
  std::string text = family;
  if (stretch != "normal") text.append(" ").append(stretch);
  if (weight) text.append(" ").append(std::to_string(*weight));
  return text;
}

Result<FontTable> read_font_table(const std::filesystem::path& path) {
  Result<Json> document = read_yaml(path);
  if (!document) return document.failure();
  FontTable table;
  const std::string file = path.filename().string();
  for (const char* part : {"required", "substitutes"}) {
    if (!document->is_object() || !document->contains(part) || !(*document)[part].is_array()) {
      return failure(FailureKind::kInvalid, file + ": needs a list '" + part + "'");
    }
  }
  for (const Json& item : (*document)["required"]) {
    table.required.push_back({text_in(item, "family"), text_in(item, "package")});
    if (table.required.back().family.empty() || table.required.back().package.empty()) {
      return failure(FailureKind::kInvalid, file + ": required needs family and package");
    }
  }
  for (const Json& item : (*document)["substitutes"]) {
    const std::string number = std::to_string(table.substitutes.size());
    Result<FontEntry> entry = entry_of(item, file + ": substitutes[" + number + "]");
    if (!entry) return entry.failure();
    table.substitutes.push_back(std::move(*entry));
  }
  return table;
}

}  // namespace pytoon::media
