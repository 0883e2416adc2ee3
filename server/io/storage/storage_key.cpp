#include "server/io/storage/storage_key.h"

#include <string_view>

namespace pytoon::io {
namespace {

constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::size_t kMaxSegmentBytes = 200;

bool is_valid_segment(std::string_view segment) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !segment.empty() && segment.size() <= kMaxSegmentBytes && segment.front() != '.' &&
         segment.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

bool is_valid_key(const std::string& key) {
  if (key.size() > kMaxKeyBytes) return false;
  std::string_view rest = key;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (!is_valid_segment(rest.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

Status check_key(const std::string& key) {
  if (is_valid_key(key)) return ok_status();
  return failure(FailureKind::kInvalid, "not a storage key: " + key);
}

}  // namespace pytoon::io
