// Logs: one JSON object a line on a stream, with timestamp, level and event first.
//
//   log.info("segment_rendered", {{"job_id", id}, {"segment_id", 3}, {"engine",
//   "local_compositor"}});
// Fractions are written in thousandths.
//
// Never pass a secret. Thread rule: any thread; a line is written whole.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>

#include "base/clock.h"

namespace pytoon {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Log {
 public:
  Log(const Clock& clock, std::ostream& out, LogLevel least = LogLevel::kInfo)
      : clock_(clock), out_(out), least_(least) {}

  void debug(std::string_view event, const nlohmann::ordered_json& fields = {}) {
    write(LogLevel::kDebug, event, fields);
  }
  void info(std::string_view event, const nlohmann::ordered_json& fields = {}) {
    write(LogLevel::kInfo, event, fields);
  }
  void warning(std::string_view event, const nlohmann::ordered_json& fields = {}) {
    write(LogLevel::kWarning, event, fields);
  }
  void error(std::string_view event, const nlohmann::ordered_json& fields = {}) {
    write(LogLevel::kError, event, fields);
  }

 private:
  void write(LogLevel level, std::string_view event, const nlohmann::ordered_json& fields);

  const Clock& clock_;
  std::ostream& out_;
  const LogLevel least_;
  std::mutex mutex_;
};

}  // namespace pytoon
