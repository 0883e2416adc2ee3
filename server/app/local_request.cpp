#include "server/app/local_request.h"

#include <nlohmann/json.hpp>

#include "server/app/request_files.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

// Gives its storage URI.
Result<std::string> take_in(Application& application, const fs::path& file,
                            const std::string& category) {
  const fs::path copy = application.storage().staging("upload");
  std::error_code error;
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing, error);
  if (error) return failure(FailureKind::kInvalid, error.message());
  Result<jobs::Asset> asset =
      application.service().keep_asset(local_owner(), {copy, category, file.filename().string()});
  if (!asset) return asset.failure();
  return asset->uri;
}

}  // namespace

jobs::Caller local_owner() { return {"default", true, true, true}; }

Result<nlohmann::json> take_in_request(Application& application, const fs::path& file) {
  return read_request_with_files(file, [&](const fs::path& named, const std::string& category) {
    return take_in(application, named, category);
  });
}

}  // namespace pytoon::app
