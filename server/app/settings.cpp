#include "server/app/settings.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace pytoon::app {
namespace {

// `:password@` of scheme://user:password@host.
std::string without_password(const std::string& url) {
  const std::size_t start = url.find("://");
  const std::size_t at = url.rfind('@');
  if (start == std::string::npos || at == std::string::npos || at < start) return url;
  const std::size_t colon = url.find(':', start + 3);
  if (colon == std::string::npos || colon > at) return url;
  return url.substr(0, colon + 1) + "***" + url.substr(at);
}

}  // namespace

const Setting& setting(std::string_view name) {
  const std::span<const Setting> all = settings();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const Setting& setting) { return setting.name == name; });
  CHECK(found != all.end(), "a variable is read that is not in the table of settings");
  return *found;
}

std::string shown(const Setting& setting, const std::string& value) {
  if (value.empty()) return value;
  if (setting.secrecy == Secrecy::kSecret) return "***";
  return setting.secrecy == Secrecy::kPasswordInUrl ? without_password(value) : value;
}

Failure wrong(std::string_view name, const std::string& detail) {
  return failure(FailureKind::kInvalid, std::string(name) + " " + detail);
}

std::optional<std::string> Variables::text(std::string_view name) const {
  return foreign(std::string(setting(name).name));
}

std::string Variables::text_or_default(std::string_view name) const {
  return text(name).value_or(std::string(setting(name).fallback));
}

int Variables::whole(std::string_view name) {
  const auto fallback = decimal(setting(name).fallback);
  CHECK(fallback.has_value(), "a whole number without a default in the table of settings");
  return whole_or(name, static_cast<int>(*fallback));
}

int Variables::whole_or(std::string_view name, int fallback) {
  const Setting& known = setting(name);
  const std::optional<std::string> value = text(name);
  if (!value) return fallback;
  const auto read = decimal(*value);
  if (!read || std::cmp_less(*read, known.least) || std::cmp_greater(*read, known.most)) {
    note(wrong(name, "must be a whole number from " + std::to_string(known.least) + " to " +
                         std::to_string(known.most)));
    return fallback;
  }
  return static_cast<int>(*read);
}

std::optional<bool> Variables::truth(std::string_view name) {
  const std::optional<std::string> value = text(name);
  if (!value) return std::nullopt;
  if (*value == "true" || *value == "1" || *value == "yes") return true;
  if (*value == "false" || *value == "0" || *value == "no") return false;
  note(wrong(name, "must be true or false"));
  return std::nullopt;
}

std::optional<std::string> Variables::foreign(const std::string& name) const {
  const auto found = environment_.find(name);
  if (found == environment_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

void Variables::note(Failure fault) {
  if (!fault_) fault_ = std::move(fault);
}

}  // namespace pytoon::app
