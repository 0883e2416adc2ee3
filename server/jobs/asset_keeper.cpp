#include "server/jobs/asset_keeper.h"

#include <algorithm>

#include "base/files.h"
#include "base/hash.h"

namespace pytoon::jobs {
namespace {

constexpr std::size_t kClientNameBytesMax = 255;

Status check_category(const std::string& category) {
  if (category == "image" || category == "mask") return ok_status();
  if (category == "audio" || category == "video") {
    return invalid_field("/category", category + " is not built yet: send image or mask");
  }
  return invalid_field("/category", "must be image, mask, audio or video");
}

// A tenant's name where it makes a good folder, else a stand-in.
std::string folder_of(const std::string& tenant) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool plain = !tenant.empty() && tenant.size() <= 64 &&
                     tenant.find_first_not_of(kLetters) == std::string::npos;
  return plain ? tenant : "tenant-" + sha256_hex(tenant).substr(0, 16);
}

std::string extension_of(const std::string& format) { return format == "jpeg" ? "jpg" : format; }

}  // namespace

Result<AssetRecord> AssetKeeper::inspect(const std::string& tenant, const Upload& upload) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(upload.file, error);
  if (error) return errno_failure(error.value(), "can't read the upload");
  if (size > kUploadBytesMax) {
    return failure(FailureKind::kTooLarge,
                   "a file may have 20 MB (" + std::to_string(kUploadBytesMax) + " bytes) at most");
  }
  Result<PictureFacts> facts = pictures_.inspect(upload.file);
  if (!facts) {
    Failure refused = facts.failure();
    if (refused.kind == FailureKind::kInvalid && refused.faults.empty()) {
      refused.faults.push_back({"/file", refused.detail});
    }
    return refused;
  }
  if (upload.category == "mask" && (facts->format != "png" || !facts->has_alpha)) {
    return invalid_field("/file", "a mask must be a PNG with an alpha channel");
  }
  Result<std::string> sha256 = sha256_file(upload.file);
  if (!sha256) return sha256.failure();
  AssetRecord record;
  record.tenant = tenant;
  record.key = "assets/" + folder_of(tenant) + "/" + *sha256 + "." + extension_of(facts->format);
  record.client_name = upload.client_name.substr(0, kClientNameBytesMax);
  record.category = upload.category;
  record.format = facts->format;
  record.size = static_cast<std::int64_t>(size);
  record.sha256 = *sha256;
  record.width = facts->width;
  record.height = facts->height;
  record.has_alpha = facts->has_alpha;
  return record;
}

Result<Asset> AssetKeeper::keep(const std::string& tenant, const Upload& upload) {
  if (Status known = check_category(upload.category); !known) return known.failure();
  Result<AssetRecord> record = inspect(tenant, upload);
  if (!record) return record.failure();
  if (Status put = storage_.put(upload.file, record->key); !put) return put.failure();
  if (Status kept = store_.keep_asset(*record); !kept) return kept.failure();
  Asset asset;
  asset.uri = "storage://" + record->key;
  asset.key = record->key;
  asset.size = record->size;
  asset.sha256 = record->sha256;
  asset.width = record->width;
  asset.height = record->height;
  return asset;
}

Result<std::string> AssetKeeper::find(const std::string& tenant, const std::string& uri,
                                      AssetRecord& record) {
  if (!spec::is_storage_uri(uri)) {
    return std::string("must be a storage:// URI that an upload gave");
  }
  const std::string key = spec::storage_key(uri);
  Result<AssetRecord> found = store_.asset(tenant, key);
  if (!found && found.failure().kind != FailureKind::kNotFound) return found.failure();
  if (!found) return std::string("is not in storage: upload it first");
  const Result<bool> there = storage_.contains(key);
  if (!there) return there.failure();
  if (!*there) return std::string("is not in storage: upload it first");
  record = std::move(found).value();
  return std::string();
}

Status AssetKeeper::check(const std::string& tenant, const spec::JobRequest& request) {
  std::vector<FieldFault> faults;
  AssetRecord record;
  for (std::size_t i = 0; i < request.image_uris.size(); ++i) {
    const Result<std::string> wrong = find(tenant, request.image_uris[i], record);
    if (!wrong) return wrong.failure();
    if (!wrong->empty()) faults.push_back({"/image_uris/" + std::to_string(i), *wrong});
  }
  if (request.mask_uri) {
    Result<std::string> wrong = find(tenant, *request.mask_uri, record);
    if (!wrong) return wrong.failure();
    const bool is_mask = record.format == "png" && record.has_alpha;
    if (wrong->empty() && !is_mask) *wrong = "must be a PNG with an alpha channel";
    if (!wrong->empty()) faults.push_back({"/mask_uri", *wrong});
  }
  if (faults.empty()) return ok_status();
  const std::string detail = faults.front().pointer + " " + faults.front().detail;
  return Failure{FailureKind::kInvalid, detail, std::move(faults)};
}

}  // namespace pytoon::jobs
