#include "server/jobs/upload_rules.h"

#include <algorithm>
#include <array>

namespace pytoon::jobs {
namespace {

std::string bytes_text(std::int64_t bytes) {
  constexpr std::int64_t kMega = 1'000'000;
  const std::string exact = std::to_string(bytes) + " bytes";
  return bytes % kMega == 0 ? std::to_string(bytes / kMega) + " MB (" + exact + ")" : exact;
}

Failure too_large(const std::string& detail) {
  return Failure{FailureKind::kTooLarge, "file " + detail, {{"/file", detail}}};
}

}  // namespace

Status check_category(const std::string& category) {
  constexpr std::array kCategories{"image", "mask", "audio", "video"};
  if (std::find(kCategories.begin(), kCategories.end(), category) != kCategories.end()) {
    return ok_status();
  }
  return invalid_field("/category", "must be image, mask, audio or video");
}

Status check_upload_size(std::int64_t bytes, const std::string& category,
                         const UploadLimits& limits) {
  const std::int64_t most = limits.bytes_max_of(category);
  if (bytes <= most) return ok_status();
  return too_large("is over " + bytes_text(most) +
                   (category.empty() ? ", more than any category may have"
                                     : ", the most for the category " + category));
}

}  // namespace pytoon::jobs
