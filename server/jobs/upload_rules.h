// What an upload may be: its category, and how many bytes. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace pytoon::jobs {

struct UploadLimits {
  std::int64_t file_bytes_max = 20'000'000;
  std::int64_t clip_bytes_max = 300'000'000;  // of the category video

  // Of a category; of any when it is "".
  std::int64_t bytes_max_of(const std::string& category) const {
    if (category.empty()) return std::max(file_bytes_max, clip_bytes_max);
    return category == "video" ? clip_bytes_max : file_bytes_max;
  }
};

// kInvalid naming /category.
Status check_category(const std::string& category);
// kTooLarge naming /file, the limit and the category. category "" is one that is not known yet: it
// may be that of a clip.
Status check_upload_size(std::int64_t bytes, const std::string& category,
                         const UploadLimits& limits = {});

}  // namespace pytoon::jobs
