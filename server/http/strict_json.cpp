#include "server/http/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace pytoon::http {
namespace {

using nlohmann::json;

Failure refuse(std::string detail) { return failure(FailureKind::kMalformed, std::move(detail)); }

// Brackets outside strings; right for valid JSON, and never too low for other text that parses.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      if (++depth > kJsonDepthMax) return true;
    } else if (!in_string && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return false;
}

// Follows the parser and notes the first key that an object has twice.
class DuplicateKeys {
 public:
  bool see(json::parse_event_t event, const json& value) {
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key && first_.empty()) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second)
        first_ = "The key '" + key.substr(0, 64) + "' came twice.";
    }
    return true;
  }
  const std::string& first() const { return first_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string first_;
};

}  // namespace

Result<json> parse_strict_json(std::string_view text) {
  if (text.empty()) return refuse("The body is empty; a JSON value is needed.");
  if (text.starts_with("\xef\xbb\xbf")) return refuse("The body starts with a byte order mark.");
  if (too_deep(text)) return refuse("The JSON is nested over 64 levels deep.");
  DuplicateKeys duplicates;
  try {
    json value = json::parse(text, [&](int, json::parse_event_t event, json& parsed) {
      return duplicates.see(event, parsed);
    });
    if (!duplicates.first().empty()) return refuse(duplicates.first());
    return value;
  } catch (const json::parse_error& error) {
    return refuse("The body is not JSON: there is an error at byte " + std::to_string(error.byte) +
                  ".");
  } catch (const json::out_of_range&) {
    return refuse("A number in the JSON is too large.");
  }
}

}  // namespace pytoon::http
