#include "server/jobs/asset_keeper.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>

#include "base/files.h"
#include "base/hash.h"
#include "server/jobs/upload_rules.h"

namespace pytoon::jobs {
namespace {

constexpr std::size_t kClientNameBytesMax = 255;

constexpr double kRoundingSeconds = 1e-4;  // of a sum of sample counts

std::string extension_of(const std::string& format) { return format == "jpeg" ? "jpg" : format; }

// What is wrong with a file that has the right type names the part of the form.
Failure about_file(Failure refused) {
  if (refused.kind == FailureKind::kInvalid && refused.faults.empty()) {
    refused.faults.push_back({"/file", refused.detail});
  }
  return refused;
}

Result<media::MediaInfo> inspect_file(MediaInspector& inspector, const Upload& upload) {
  if (upload.category == "video") return inspector.inspect_clip(upload.file);
  if (upload.category == "audio") return inspector.inspect_audio(upload.file);
  Result<media::MediaInfo> info = inspector.inspect_image(upload.file);
  if (info && upload.category == "mask" && (info->format != "png" || !info->has_alpha)) {
    return invalid_field("/file", "a mask must be a PNG with an alpha channel");
  }
  return info;
}

std::string seconds_of(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g s", seconds);
  return text.data();
}

// What is wrong with a file as the thing it was named for; "" when nothing.
using Check = std::function<std::string(const AssetRecord&)>;

std::string as_image(const AssetRecord& record) {
  const bool is_image = record.category == "image" || record.category == "mask";
  return is_image ? "" : "is no image: name a clip in clip_uris, audio in music_uri or voice_uri";
}

std::string as_clip(const AssetRecord& record) {
  return record.category == "video" ? "" : "is no clip: upload it with the category video";
}

std::string as_mask(const AssetRecord& record) {
  const bool mask = record.media.format == "png" && record.media.has_alpha;
  return mask ? "" : "must be a PNG with an alpha channel";
}

std::string as_audio(const AssetRecord& record) {
  return record.category == "audio" ? "" : "is no audio: upload it with the category audio";
}

std::string as_voice(const AssetRecord& record, int video_seconds) {
  const std::string wrong = as_audio(record);
  if (!wrong.empty() || record.media.duration_seconds <= video_seconds + kRoundingSeconds)
    return wrong;
  return "lasts " + seconds_of(record.media.duration_seconds) + " and the video " +
         seconds_of(video_seconds) +
         ": a voice is never cut, so shorten it or raise target_duration_seconds";
}

Asset asset_of(const AssetRecord& record) {
  return Asset{"storage://" + record.key, record.key, record.size, record.sha256, record.media};
}

// The names that MediaInfo::format has; what is none of them is bytes to a browser.
std::string content_type(const AssetRecord& record) {
  static const std::map<std::string_view, std::string_view> kTypes{
      {"png", "image/png"},   {"apng", "image/apng"},    {"jpeg", "image/jpeg"},
      {"webp", "image/webp"}, {"gif", "image/gif"},      {"heic", "image/heic"},
      {"avif", "image/avif"}, {"mp4", "video/mp4"},      {"mov", "video/quicktime"},
      {"webm", "video/webm"}, {"mkv", "video/matroska"}, {"mp3", "audio/mpeg"},
      {"wav", "audio/wav"},   {"aiff", "audio/aiff"},    {"caf", "audio/x-caf"},
      {"flac", "audio/flac"}, {"ogg", "audio/ogg"},      {"m4a", "audio/mp4"},
      {"aac", "audio/aac"}};
  if (record.category == "audio" && record.media.format == "webm") return "audio/webm";
  const auto found = kTypes.find(record.media.format);
  return found == kTypes.end() ? "application/octet-stream" : std::string(found->second);
}

struct NamedFile {
  std::string pointer;
  std::string uri;
  Check check;
};

std::vector<NamedFile> files_of(const spec::JobRequest& request, int video_seconds) {
  std::vector<NamedFile> files;
  for (std::size_t i = 0; i < request.image_uris.size(); ++i) {
    files.push_back({"/image_uris/" + std::to_string(i), request.image_uris[i], as_image});
  }
  for (std::size_t i = 0; i < request.clip_uris.size(); ++i) {
    files.push_back({"/clip_uris/" + std::to_string(i), request.clip_uris[i], as_clip});
  }
  if (request.mask_uri) files.push_back({"/mask_uri", *request.mask_uri, as_mask});
  if (request.music_uri) files.push_back({"/music_uri", *request.music_uri, as_audio});
  if (request.voice_uri) {
    files.push_back({"/voice_uri", *request.voice_uri, [video_seconds](const AssetRecord& record) {
                       return as_voice(record, video_seconds);
                     }});
  }
  return files;
}

}  // namespace

// A tenant's name where it makes a good folder, else a stand-in.
std::string asset_folder(const std::string& tenant) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool plain = !tenant.empty() && tenant.size() <= 64 &&
                     tenant.find_first_not_of(kLetters) == std::string::npos;
  return "assets/" + (plain ? tenant : "tenant-" + sha256_hex(tenant).substr(0, 16)) + "/";
}

Result<AssetRecord> AssetKeeper::inspect(const std::string& tenant, const Upload& upload) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(upload.file, error);
  if (error) return errno_failure(error.value(), "can't read the upload");
  const auto size = static_cast<std::int64_t>(bytes);
  if (Status fits = check_upload_size(size, upload.category); !fits) return fits.failure();
  Result<media::MediaInfo> info = inspect_file(inspector_, upload);
  if (!info) return about_file(info.failure());
  Result<std::string> sha256 = sha256_file(upload.file);
  if (!sha256) return sha256.failure();
  AssetRecord record;
  record.media = std::move(*info);
  record.tenant = tenant;
  record.key = asset_folder(tenant) + *sha256 + "." + extension_of(record.media.format);
  record.client_name = upload.client_name.substr(0, kClientNameBytesMax);
  record.category = upload.category;
  record.size = size;
  record.sha256 = *sha256;
  return record;
}

Result<Asset> AssetKeeper::keep(const std::string& tenant, const Upload& upload) {
  if (Status known = check_category(upload.category); !known) return known.failure();
  Result<AssetRecord> record = inspect(tenant, upload);
  if (!record) return record.failure();
  // A row without an object is an upload that is not in storage; an object without a row would be
  // an orphan, to be collected at any moment.
  if (Status kept = store_.keep_asset(*record); !kept) return kept.failure();
  if (Status put = storage_.put(upload.file, record->key); !put) return put.failure();
  return asset_of(*record);
}

Result<Asset> AssetKeeper::find(const std::optional<std::string>& tenant, const std::string& key) {
  const Result<AssetRecord> record = store_.asset(tenant, key);
  if (!record) return record.failure();
  return asset_of(*record);
}

Result<Artifact> AssetKeeper::file(const std::optional<std::string>& tenant,
                                   const std::string& key) {
  const Result<AssetRecord> record = store_.asset(tenant, key);
  if (!record) return record.failure();
  Result<std::filesystem::path> path = storage_.local(key);
  if (!path) return path.failure();
  return Artifact{std::move(path).value(), content_type(*record), "\"" + record->sha256 + "\""};
}

Result<std::string> AssetKeeper::look_up(const std::string& tenant, const std::string& uri,
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

Status AssetKeeper::check(const std::string& tenant, const spec::JobRequest& request,
                          int video_seconds) {
  std::vector<FieldFault> faults;
  for (const NamedFile& file : files_of(request, video_seconds)) {
    AssetRecord record;
    Result<std::string> wrong = look_up(tenant, file.uri, record);
    if (!wrong) return wrong.failure();
    if (wrong->empty()) *wrong = file.check(record);
    if (!wrong->empty()) faults.push_back({file.pointer, *wrong});
  }
  if (faults.empty()) return ok_status();
  const std::string detail = faults.front().pointer + " " + faults.front().detail;
  return Failure{FailureKind::kInvalid, detail, std::move(faults)};
}

}  // namespace pytoon::jobs
