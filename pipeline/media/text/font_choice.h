// config/fonts.yaml: which free family stands in for one that is not free or not packaged. Inside
// the room only.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::media {

// A family with, where a substitute fixes them, its weight (CSS) and stretch (CSS keyword).
struct FontChoice {
  std::string family;
  std::optional<int> weight;
  std::string stretch = "normal";

  // "Open Sans Condensed 700": what is stated to users.
  std::string name() const;
};

struct FontEntry {
  std::string wanted;
  FontChoice use;
  std::string package;  // Debian's
};

struct RequiredFamily {
  std::string family;
  std::string package;
};

struct FontTable {
  std::vector<FontEntry> substitutes;
  std::vector<RequiredFamily> required;
};

// kInvalid naming the entry that is wrong.
Result<FontTable> read_font_table(const std::filesystem::path& path);

}  // namespace pytoon::media
