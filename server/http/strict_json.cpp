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

std::string escaped(const std::string& key) {
  std::string text;
  for (const char c : key) {
    if (c == '~' || c == '/') {
      text += c == '~' ? "~0" : "~1";
    } else {
      text += c;
    }
  }
  return text;
}

// Follows the parser: knows where in the value it is, and notes the first key that came twice.
class Follower {
 public:
  bool see(json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      inside_.push_back({event == Event::array_start, 0, "", {}});
    } else if (event == Event::key) {
      note_key(value.get_ref<const std::string&>());
    } else {
      if (event != Event::value) inside_.pop_back();
      if (!inside_.empty()) ++inside_.back().index;
    }
    return true;
  }
  const std::string& twice() const { return twice_; }
  // JSON pointer of the value that is being read.
  std::string pointer() const {
    std::string text;
    for (const Container& one : inside_) {
      text += "/" + (one.is_array ? std::to_string(one.index) : escaped(one.key));
    }
    return text;
  }

 private:
  struct Container {
    bool is_array = false;
    std::size_t index = 0;
    std::string key;
    std::set<std::string> keys;
  };

  void note_key(const std::string& key) {
    Container& object = inside_.back();
    object.key = key;
    if (!object.keys.insert(key).second && twice_.empty()) {
      twice_ = "The key '" + key.substr(0, 64) + "' came twice.";
    }
  }

  std::vector<Container> inside_;
  std::string twice_;
};

// A text that is none is somebody's field, and the parser's own words say what is wrong with it.
Failure refuse_text(const json::parse_error& error, const std::string& pointer) {
  const bool half = std::string_view(error.what()).find("surrogate") != std::string_view::npos;
  const std::string why =
      half ? "holds half of a character: a \\ud800 to \\udfff escape without its other half"
           : "holds bytes that are no UTF-8, or a control character";
  Failure failed = refuse("The text at " + pointer + " " + why + ".");
  failed.faults.push_back({pointer, why});
  return failed;
}

}  // namespace

Result<json> parse_strict_json(std::string_view text) {
  if (text.empty()) return refuse("The body is empty; a JSON value is needed.");
  if (text.starts_with("\xef\xbb\xbf")) return refuse("The body starts with a byte order mark.");
  if (too_deep(text)) return refuse("The JSON is nested over 64 levels deep.");
  Follower follower;
  try {
    json value = json::parse(text, [&](int, json::parse_event_t event, json& parsed) {
      return follower.see(event, parsed);
    });
    if (!follower.twice().empty()) return refuse(follower.twice());
    return value;
  } catch (const json::parse_error& error) {
    const bool about_text =
        std::string_view(error.what()).find("invalid string") != std::string_view::npos;
    if (about_text && !follower.pointer().empty()) return refuse_text(error, follower.pointer());
    return refuse("The body is not JSON: there is an error at byte " + std::to_string(error.byte) +
                  ".");
  } catch (const json::out_of_range&) {
    return refuse("A number in the JSON is too large.");
  }
}

Result<json> parse_strict_object(std::string_view text) {
  Result<json> value = parse_strict_json(text);
  if (value && !value->is_object()) return invalid_field("", "must be an object");
  return value;
}

}  // namespace pytoon::http
