// Every variable that an operator may set: one table. The program reads none that is not in it,
// with the default and the bounds that stand here; `pytoon config show` and docs/configuration.md
// are made of it.
//
// Thread rule: the table is constant; a Variables belongs to one thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/app/env.h"

namespace pytoon::app {

enum class Secrecy {
  kOpen,
  kPasswordInUrl,  // what stands between `:` and `@` of a URL
  kSecret,
};

struct Setting {
  std::string_view group;     // heading in the page
  std::string_view name;      // of the variable
  std::string_view fallback;  // as one would write it; empty: not set
  std::string_view about;     // what it does, and what it may be
  Secrecy secrecy = Secrecy::kOpen;
  std::string_view unit = {};     // empty: none
  std::string_view in_file = {};  // where it is set otherwise, such as "defaults.yaml: a.b"
  int least = 0;                  // of whole numbers
  int most = 0;                   // 0: not a whole number
};

std::span<const Setting> settings();
// CHECKs that there is one.
const Setting& setting(std::string_view name);

// A value as it may be shown: secrets are "***".
std::string shown(const Setting& setting, const std::string& value);

// Reads variables of the table, remembering the first fault: kInvalid, one line that names it.
class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  // The variable when it is set to something.
  std::optional<std::string> text(std::string_view name) const;
  // Else the default of the table.
  std::string text_or_default(std::string_view name) const;
  // A whole number within the bounds of the table, else its default.
  int whole(std::string_view name);
  int whole_or(std::string_view name, int fallback);
  std::optional<bool> truth(std::string_view name);
  // Of the desktop, explained by its own standard: HOME, XDG_CACHE_HOME.
  std::optional<std::string> foreign(const std::string& name) const;

  void note(Failure fault);
  const std::optional<Failure>& fault() const { return fault_; }

 private:
  const Environment& environment_;
  std::optional<Failure> fault_;
};

// "NAME detail".
Failure wrong(std::string_view name, const std::string& detail);

}  // namespace pytoon::app
