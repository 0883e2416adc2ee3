// Reads the fields of one JSON object, collecting every fault with its JSON pointer instead of
// stopping at the first. Fields never asked for are faults too (finish()).
//
//   FieldReader r(json, "/caption_style", faults);
//   style.font = r.text("font", 1, 80);
//   r.finish();
//
// Thread rule: one thread; json must outlive the reader.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/spec/names.h"

namespace pytoon::spec {

class FieldReader {
 public:
  FieldReader(const nlohmann::ordered_json& json, std::string pointer,
              std::vector<FieldFault>& faults);

  // Whether an optional field has a value. A null is none: typed clients send it for one left out.
  bool has(const std::string& name);
  // Required fields. A default value is returned beside a fault.
  std::string text(const std::string& name, std::size_t min_bytes, std::size_t max_bytes);
  std::int64_t whole(const std::string& name, std::int64_t least, std::int64_t most);
  double number(const std::string& name, double least, double most);
  bool truth(const std::string& name);
  std::vector<std::string> texts(const std::string& name, std::size_t max_items,
                                 std::size_t max_bytes);
  const nlohmann::ordered_json* object(const std::string& name);
  const nlohmann::ordered_json* array(const std::string& name);
  template <typename Enum>
  Enum choice(const std::string& name);

  void fault(const std::string& name, std::string detail);
  std::string at(const std::string& name) const { return pointer_ + "/" + escaped(name); }
  // Faults every field that was not asked for.
  void finish();

 private:
  bool is_text(const std::string& name) const;
  const nlohmann::ordered_json* find(const std::string& name);
  static std::string escaped(const std::string& name);

  const nlohmann::ordered_json& json_;
  const std::string pointer_;
  std::vector<FieldFault>& faults_;
  std::set<std::string> asked_;
};

// "one of a, b, c"
std::string one_of(const std::vector<std::string_view>& names);
// All faults as one Failure (kInvalid) whose detail names the first.
Failure invalid(std::vector<FieldFault> faults);

template <typename Enum>
Enum FieldReader::choice(const std::string& name) {
  const std::string text_value = text(name, 0, 200);
  const std::optional<Enum> value = from_name<Enum>(text_value);
  if (!value && is_text(name)) {
    fault(name, "must be " + one_of(all_names<Enum>()));
  }
  return value.value_or(Enum{});
}

}  // namespace pytoon::spec
