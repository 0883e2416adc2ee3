#include "server/app/key_file.h"

#include "base/files.h"

namespace pytoon::app {

Result<http::KeyRing> read_key_file(const Config& config) {
  if (config.api_keys_file.empty()) return http::KeyRing::parse("");
  const Result<std::string> text = read_file(config.api_keys_file);
  if (!text) return text.failure();
  return http::KeyRing::parse(*text);
}

}  // namespace pytoon::app
