#include "server/app/env.h"

#include <unistd.h>

#include <sstream>

#include "base/files.h"
#include "base/text.h"

namespace pytoon::app {
namespace {

std::string trimmed(std::string_view text) { return std::string(trim(text, " \t\r")); }

bool is_name(const std::string& text) {
  if (text.empty() || is_digit(text.front())) return false;
  for (const char c : text) {
    if (!is_digit(c) && !is_alpha(c) && c != '_') return false;
  }
  return true;
}

std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

Result<Environment> parse_env_file(const std::string& text) {
  Environment environment;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    const std::string name = trimmed(line.substr(0, equals));
    if (equals == std::string::npos || !is_name(name)) {
      return failure(FailureKind::kInvalid,
                     ".env line " + std::to_string(number) + " is not KEY=VALUE");
    }
    environment[name] = unquoted(trimmed(line.substr(equals + 1)));
  }
  return environment;
}

Result<Environment> read_env_file(const std::filesystem::path& env_file) {
  if (!std::filesystem::exists(env_file)) return Environment{};
  Result<std::string> text = read_file(env_file);
  if (!text) return text.failure();
  return parse_env_file(*text);
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string pair = *entry;
    if (const std::size_t equals = pair.find('='); equals != std::string::npos) {
      environment[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
  return environment;
}

Result<Environment> read_environment(const std::filesystem::path& env_file) {
  Result<Environment> of_file = read_env_file(env_file);
  if (!of_file) return of_file.failure();
  Environment environment = process_environment();
  environment.merge(*of_file);
  return environment;
}

}  // namespace pytoon::app
