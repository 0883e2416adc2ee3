#include "base/log.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"

namespace pytoon {
namespace {

nlohmann::ordered_json readable(const nlohmann::ordered_json& value) {
  if (!value.is_number_float()) return value;
  return in_thousandths(value.get<double>());
}

struct ToJson {
  nlohmann::ordered_json operator()(const nlohmann::ordered_json* value) const { return *value; }
  nlohmann::ordered_json operator()(const auto& value) const { return value; }
};

}  // namespace

void Log::write(LogLevel level, std::string_view event, Fields fields) {
  if (level < least_) return;
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const LogField& field : fields) {
    object[std::string(field.name())] = std::visit(ToJson{}, field.value());
  }
  write(level, event, object);
}

void Log::write(LogLevel level, std::string_view event, const nlohmann::ordered_json& fields) {
  if (level < least_) return;
  constexpr std::array<const char*, 4> kNames{"debug", "info", "warning", "error"};
  nlohmann::ordered_json line{{"timestamp", iso8601(clock_.now())},
                              {"level", kNames[static_cast<std::size_t>(level)]},
                              {"event", event}};
  for (const auto& field : fields.items()) line[field.key()] = readable(field.value());
  const std::string text = json_text(line) + "\n";
  const std::lock_guard lock(mutex_);
  out_ << text << std::flush;
}

}  // namespace pytoon
