// A fontconfig of our own: only the folders given, no hinting, grey antialiasing, colour emoji for
// emoji. Nothing of the host's or the user's settings gets in. Inside the room only.
//
// Thread rule: one thread at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/media/text/pango_handles.h"

namespace pytoon::media {

// What Urdu is set in.
inline constexpr const char* kNastaliq = "Noto Nastaliq Urdu";

class PrivateFonts {
 public:
  static Result<PrivateFonts> open(const std::vector<std::filesystem::path>& folders,
                                   const std::filesystem::path& cache_dir);

  FcConfig* config() const { return config_.get(); }
  bool installed(const std::string& family) const;
  // Sorted file paths of one family, or of all fonts for "".
  std::vector<std::string> files(const std::string& family) const;
  // Families asked for glyphs that the caption's own family lacks, in that order.
  std::string fallback_families(const std::string& language) const;
  // A hash of all fonts by name, size, version and coverage, wherever they lie.
  std::string identity() const;

 private:
  explicit PrivateFonts(FcConfigPtr config);

  FcConfigPtr config_;
  std::vector<std::string> families_;         // folded, sorted
  std::vector<std::string> script_families_;  // "Noto Sans Arabic", ...
};

}  // namespace pytoon::media
