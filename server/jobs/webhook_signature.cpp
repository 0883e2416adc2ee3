#include "server/jobs/webhook_signature.h"

#include <sstream>

#include "base/base64.h"
#include "base/hmac.h"

namespace pytoon::jobs {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastBytes = 24;
constexpr std::size_t kMostBytes = 64;

}  // namespace

Result<std::vector<std::string>> webhook_keys(const std::string& secrets) {
  std::vector<std::string> keys;
  std::istringstream words(secrets);
  for (std::string word; words >> word;) {
    const auto key =
        word.starts_with(kPrefix) ? base64_decoded(word.substr(kPrefix.size())) : std::nullopt;
    if (!key || key->size() < kLeastBytes || key->size() > kMostBytes) {
      return failure(FailureKind::kInvalid,
                     "must be whsec_ and 24 to 64 bytes in base64, several separated by blanks");
    }
    keys.push_back(*key);
  }
  return keys;
}

std::string webhook_signature(const std::vector<std::string>& keys, const std::string& id,
                              std::int64_t timestamp, const std::string& body) {
  const std::string signed_text = id + "." + std::to_string(timestamp) + "." + body;
  std::string header;
  for (const std::string& key : keys) {
    header += (header.empty() ? "v1," : " v1,") + base64(hmac_sha256(key, signed_text));
  }
  return header;
}

}  // namespace pytoon::jobs
