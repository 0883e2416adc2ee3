#include "server/jobs/asset_keeper.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"

namespace pytoon::jobs {
namespace {

constexpr std::size_t kClientNameBytesMax = 255;
constexpr double kRoundingSeconds = 1e-4;  // of a sum of sample counts

Status check_category(const std::string& category) {
  if (category == "image" || category == "mask" || category == "audio") return ok_status();
  if (category == "video") {
    return invalid_field("/category", "video is not built yet: send image, mask or audio");
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

// A file out of contract is the field "file" of the form.
Failure blame_file(Failure fault) {
  if (fault.kind == FailureKind::kInvalid && fault.faults.empty()) {
    fault.faults.push_back({"/file", fault.detail});
  }
  return fault;
}

std::string seconds_of(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g s", seconds);
  return text.data();
}

}  // namespace

Status AssetKeeper::inspect_picture(const Upload& upload, AssetRecord& record) {
  const Result<PictureFacts> facts = pictures_.inspect(upload.file);
  if (!facts) return blame_file(facts.failure());
  if (upload.category == "mask" && (facts->format != "png" || !facts->has_alpha)) {
    return invalid_field("/file", "a mask must be a PNG with an alpha channel");
  }
  record.format = facts->format;
  record.width = facts->width;
  record.height = facts->height;
  record.has_alpha = facts->has_alpha;
  return ok_status();
}

Status AssetKeeper::inspect_audio(const Upload& upload, AssetRecord& record) {
  const Result<AudioFacts> facts = pictures_.inspect_audio(upload.file);
  if (!facts) return blame_file(facts.failure());
  record.format = facts->format;
  record.duration_seconds = facts->duration_seconds;
  record.channels = facts->channels;
  record.sample_rate = facts->sample_rate;
  return ok_status();
}

Result<AssetRecord> AssetKeeper::inspect(const std::string& tenant, const Upload& upload) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(upload.file, error);
  if (error) return errno_failure(error.value(), "can't read the upload");
  if (size > kUploadBytesMax) {
    return failure(FailureKind::kTooLarge,
                   "a file may have 20 MB (" + std::to_string(kUploadBytesMax) + " bytes) at most");
  }
  AssetRecord record;
  const Status good =
      upload.category == "audio" ? inspect_audio(upload, record) : inspect_picture(upload, record);
  if (!good) return good.failure();
  Result<std::string> sha256 = sha256_file(upload.file);
  if (!sha256) return sha256.failure();
  record.tenant = tenant;
  record.key = "assets/" + folder_of(tenant) + "/" + *sha256 + "." + extension_of(record.format);
  record.client_name = upload.client_name.substr(0, kClientNameBytesMax);
  record.category = upload.category;
  record.size = static_cast<std::int64_t>(size);
  record.sha256 = *sha256;
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
  if (record->width > 0) asset.width = record->width;
  if (record->height > 0) asset.height = record->height;
  if (record->duration_seconds > 0)
    asset.duration_seconds = in_thousandths(record->duration_seconds);
  if (record->channels > 0) asset.channels = record->channels;
  if (record->sample_rate > 0) asset.sample_rate = record->sample_rate;
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
  if (!found || !storage_.exists(key)) return std::string("is not in storage: upload it first");
  record = std::move(found).value();
  return std::string();
}

Status AssetKeeper::check_sound(const std::string& tenant, const std::string& uri,
                                const std::string& pointer, std::vector<FieldFault>& faults,
                                AssetRecord& record) {
  Result<std::string> wrong = find(tenant, uri, record);
  if (!wrong) return wrong.failure();
  if (wrong->empty() && record.category != "audio") *wrong = "must be a sound (category audio)";
  if (!wrong->empty()) faults.push_back({pointer, *wrong});
  return ok_status();
}

Status AssetKeeper::check_sounds(const std::string& tenant, const spec::JobRequest& request,
                                 int video_seconds, std::vector<FieldFault>& faults) {
  AssetRecord record;
  if (request.music_uri) {
    const Status asked = check_sound(tenant, *request.music_uri, "/music_uri", faults, record);
    if (!asked) return asked;
  }
  if (!request.voice_uri) return ok_status();
  const std::size_t before = faults.size();
  const Status asked = check_sound(tenant, *request.voice_uri, "/voice_uri", faults, record);
  if (!asked || faults.size() > before) return asked;
  if (record.duration_seconds > video_seconds + kRoundingSeconds) {
    faults.push_back({"/voice_uri", "lasts " + seconds_of(record.duration_seconds) +
                                        " and the video " + seconds_of(video_seconds) +
                                        ": a voice is never cut, so shorten it or raise "
                                        "target_duration_seconds"});
  }
  return ok_status();
}

Status AssetKeeper::check(const std::string& tenant, const spec::JobRequest& request,
                          int video_seconds) {
  std::vector<FieldFault> faults;
  AssetRecord record;
  for (std::size_t i = 0; i < request.image_uris.size(); ++i) {
    Result<std::string> wrong = find(tenant, request.image_uris[i], record);
    if (!wrong) return wrong.failure();
    if (wrong->empty() && record.category == "audio") *wrong = "must be an image";
    if (!wrong->empty()) faults.push_back({"/image_uris/" + std::to_string(i), *wrong});
  }
  if (request.mask_uri) {
    Result<std::string> wrong = find(tenant, *request.mask_uri, record);
    if (!wrong) return wrong.failure();
    const bool is_mask = record.format == "png" && record.has_alpha;
    if (wrong->empty() && !is_mask) *wrong = "must be a PNG with an alpha channel";
    if (!wrong->empty()) faults.push_back({"/mask_uri", *wrong});
  }
  const Status asked = check_sounds(tenant, request, video_seconds, faults);
  if (!asked) return asked;
  if (faults.empty()) return ok_status();
  const std::string detail = faults.front().pointer + " " + faults.front().detail;
  return Failure{FailureKind::kInvalid, detail, std::move(faults)};
}

}  // namespace pytoon::jobs
