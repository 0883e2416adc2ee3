// Logs: one JSON object a line on a stream, with timestamp, level and event first.
//
//   log.info("segment_rendered", {{"job_id", id}, {"segment_id", 3}, {"engine",
//   "local_compositor"}});
// Fractions are written in thousandths. Fields only refer to their values: they are made for the
// call and never kept. Whoever gathers fields over several statements passes an ordered_json.
//
// Never pass a secret. Thread rule: any thread; a line is written whole and flushed, which blocks.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace pytoon {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// A type of its own, not JSON: every file that logs would otherwise compile the JSON library.
class LogField {
 public:
  using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view,
                             const nlohmann::ordered_json*>;

  template <std::convertible_to<std::string_view> Text>
  LogField(std::string_view name, const Text& text) : name_(name), value_(std::string_view(text)) {}
  LogField(std::string_view name, std::same_as<bool> auto value) : name_(name), value_(value) {}
  LogField(std::string_view name, std::signed_integral auto value)
      : name_(name), value_(std::int64_t{value}) {}
  LogField(std::string_view name,
           std::unsigned_integral auto value) requires(!std::same_as<decltype(value), bool>)
      : name_(name), value_(std::uint64_t{value}) {}
  LogField(std::string_view name, std::floating_point auto value)
      : name_(name), value_(double{value}) {}
  LogField(std::string_view name, const nlohmann::ordered_json& value)
      : name_(name), value_(&value) {}

  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  std::string_view name_;
  Value value_;
};

class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  Log(const Clock& clock, std::ostream& out, LogLevel least = LogLevel::kInfo)
      : clock_(clock), out_(out), least_(least) {}

  void debug(std::string_view event, Fields fields = {}) { write(LogLevel::kDebug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(LogLevel::kInfo, event, fields); }
  void warning(std::string_view event, Fields fields = {}) {
    write(LogLevel::kWarning, event, fields);
  }
  void error(std::string_view event, Fields fields = {}) { write(LogLevel::kError, event, fields); }

  void info(std::string_view event, const nlohmann::ordered_json& fields) {
    write(LogLevel::kInfo, event, fields);
  }
  void warning(std::string_view event, const nlohmann::ordered_json& fields) {
    write(LogLevel::kWarning, event, fields);
  }
  void error(std::string_view event, const nlohmann::ordered_json& fields) {
    write(LogLevel::kError, event, fields);
  }

 private:
  void write(LogLevel level, std::string_view event, Fields fields);
  void write(LogLevel level, std::string_view event, const nlohmann::ordered_json& fields);

  const Clock& clock_;
  std::ostream& out_;
  const LogLevel least_;
  std::mutex mutex_;
};

}  // namespace pytoon
