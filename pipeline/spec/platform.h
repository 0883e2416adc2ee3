// What each platform's own controls cover, from config/platforms.yaml: text keeps clear of it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace pytoon::spec {

// Insets of the frame in px of the design (output.h).
struct SafeZone {
  int top = 0;
  int right = 0;
  int bottom = 0;
  int left = 0;
  bool operator==(const SafeZone&) const = default;
};

using PlatformTable = std::map<std::string, SafeZone>;  // universal, reels, tiktok, shorts

Result<PlatformTable> read_platforms(const std::filesystem::path& platforms_yaml);

}  // namespace pytoon::spec
