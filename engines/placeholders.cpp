#include "engines/placeholders.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/json.h"

namespace pytoon::engines {
namespace {

// Calls `plain` for text between slots and `slot` for each {{name}}.
void walk(const std::string& text, const std::function<void(const std::string&)>& plain,
          const std::function<void(const std::string&)>& slot) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : text.find("}}", open);
    if (close == std::string::npos) break;
    plain(text.substr(at, open - at));
    slot(text.substr(open + 2, close - open - 2));
    at = close + 2;
  }
  plain(text.substr(at));
}

const Json& value_of(const std::string& slot, const Json& values) {
  const auto found = values.find(slot);
  CHECK(found != values.end(), "documents are checked for unknown slots when they are loaded");
  return *found;
}

bool is_one_slot(const std::string& text) {
  return text.starts_with("{{") && text.find("}}") == text.size() - 2;
}

}  // namespace

std::string filled_text(const std::string& text, const Json& values) {
  std::string made;
  walk(
      text, [&made](const std::string& plain) { made += plain; },
      [&made, &values](const std::string& slot) {
        const Json& value = value_of(slot, values);
        if (!value.is_null())
          made += value.is_string() ? value.get<std::string>() : json_text(value);
      });
  return made;
}

Json filled(const Json& document, const Json& values) {
  if (document.is_string()) {
    const auto& text = document.get_ref<const std::string&>();
    if (is_one_slot(text)) return value_of(text.substr(2, text.size() - 4), values);
    return filled_text(text, values);
  }
  if (document.is_object()) {
    Json made = Json::object();
    for (const auto& [name, member] : document.items()) {
      Json value = filled(member, values);
      if (!value.is_null()) made[name] = std::move(value);
    }
    return made;
  }
  if (document.is_array()) {
    Json made = Json::array();
    for (const Json& item : document) {
      Json value = filled(item, values);
      if (!value.is_null()) made.push_back(std::move(value));
    }
    return made;
  }
  return document;
}

std::set<std::string> slots_of(const Json& document) {
  std::set<std::string> found;
  if (document.is_string()) {
    walk(
        document.get<std::string>(), [](const std::string&) {},
        [&found](const std::string& slot) { found.insert(slot); });
  }
  if (document.is_structured()) {
    for (const Json& member : document) found.merge(slots_of(member));
  }
  return found;
}

}  // namespace pytoon::engines
