#include "pipeline/spec/field_reader.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nearest.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

namespace {

const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

std::string trimmed(double value) {
  std::string text = std::to_string(value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// 1.0 is an integer too, as JSON Schema counts (draft 6 on).
std::optional<std::int64_t> whole_number(const Json& value) {
  constexpr double kExactMax = 9007199254740992;  // 2^53
  if (value.is_number_float()) {
    const double number = value.get<double>();
    const bool whole = std::abs(number) <= kExactMax && number == std::trunc(number);
    return whole ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
  }
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() ||
                     value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  return fits ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

}  // namespace

FieldReader::FieldReader(const Json& json, std::string pointer, std::vector<FieldFault>& faults)
    : json_(json.is_object() ? json : empty_object()),
      pointer_(std::move(pointer)),
      faults_(faults) {
  if (!json.is_object()) faults_.push_back({pointer_, "must be an object"});
}

std::string FieldReader::escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

bool FieldReader::is_text(const std::string& name) const {
  const auto it = json_.find(name);
  return it != json_.end() && it->is_string();
}

bool FieldReader::has(const std::string& name) {
  asked_.insert(name);
  const auto it = json_.find(name);
  return it != json_.end() && !it->is_null();
}

const Json* FieldReader::find(const std::string& name) {
  asked_.insert(name);
  const auto it = json_.find(name);
  if (it != json_.end() && !it->is_null()) return &*it;
  fault(name, "is required");
  return nullptr;
}

void FieldReader::fault(const std::string& name, std::string detail) {
  faults_.push_back({at(name), std::move(detail)});
}

std::string FieldReader::text(const std::string& name, std::size_t min_bytes,
                              std::size_t max_bytes) {
  const Json* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    fault(name, "must be a text");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() < min_bytes) fault(name, "must not be empty");
  if (text.size() > max_bytes) {
    fault(name, "must be at most " + std::to_string(max_bytes) + " bytes of UTF-8");
  }
  return text;
}

std::int64_t FieldReader::whole(const std::string& name, std::int64_t least, std::int64_t most) {
  const Json* value = find(name);
  if (value == nullptr) return least;
  const std::string range =
      "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const std::optional<std::int64_t> number = whole_number(*value);
  if (!number || *number < least || *number > most) {
    fault(name, range);
    return least;
  }
  return *number;
}

double FieldReader::number(const std::string& name, double least, double most) {
  const Json* value = find(name);
  if (value == nullptr) return least;
  if (!value->is_number() || value->get<double>() < least || value->get<double>() > most ||
      std::isnan(value->get<double>())) {
    fault(name, "must be a number from " + trimmed(least) + " to " + trimmed(most));
    return least;
  }
  return value->get<double>();
}

bool FieldReader::truth(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) {
    fault(name, "must be true or false");
    return false;
  }
  return value->get<bool>();
}

std::vector<std::string> FieldReader::texts(const std::string& name, std::size_t max_items,
                                            std::size_t max_bytes) {
  std::vector<std::string> items;
  const Json* value = array(name);
  if (value == nullptr) return items;
  if (value->size() > max_items) {
    fault(name, "must have at most " + std::to_string(max_items) + " items");
    return items;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& item = (*value)[i];
    const std::string index = name + "/" + std::to_string(i);
    if (!item.is_string() || item.get_ref<const std::string&>().size() > max_bytes) {
      faults_.push_back({pointer_ + "/" + index,
                         "must be a text of at most " + std::to_string(max_bytes) + " bytes"});
    } else {
      items.push_back(item.get<std::string>());
    }
  }
  return items;
}

const Json* FieldReader::object(const std::string& name) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_object()) {
    fault(name, "must be an object");
    return nullptr;
  }
  return value;
}

const Json* FieldReader::array(const std::string& name) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_array()) {
    fault(name, "must be an array");
    return nullptr;
  }
  return value;
}

void FieldReader::finish() {
  for (const auto& item : json_.items()) {
    if (asked_.contains(item.key())) continue;
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    fault(item.key(), "is not a field we know" + did_you_mean(item.key(), known));
  }
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ", ";
    text += names[i];
  }
  return text;
}

Failure invalid(std::vector<FieldFault> faults) {
  CHECK(!faults.empty(), "invalid() without a fault");
  std::string detail = faults.front().pointer + " " + faults.front().detail;
  if (faults.size() > 1) detail += " (and " + std::to_string(faults.size() - 1) + " more)";
  return Failure{FailureKind::kInvalid, std::move(detail), std::move(faults)};
}

}  // namespace pytoon::spec
