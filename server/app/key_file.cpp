#include "server/app/key_file.h"

#include "base/files.h"

namespace pytoon::app {

Result<http::KeyRing> read_key_file(const Config& config) {
  if (config.api_keys_file.empty()) return http::KeyRing::parse("");
  const Result<std::string> text = read_file(config.api_keys_file);
  if (!text) return text.failure();
  Result<http::KeyRing> ring = http::KeyRing::parse(*text);
  if (!ring) return ring;
  for (std::size_t i = 0; i < ring->size(); ++i) {
    const std::string plan = ring->holder(i).caller.plan;
    if (config.plans.has(plan)) continue;
    return failure(FailureKind::kInvalid,
                   "API keys: there is no plan '" + plan + "' in config/plans.yaml");
  }
  return ring;
}

}  // namespace pytoon::app
