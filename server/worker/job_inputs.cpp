#include "server/worker/job_inputs.h"

#include "base/hash.h"
#include "pipeline/spec/job_request.h"

namespace pytoon::worker {
namespace {

Failure lost(const std::string& uri, const std::string& why) {
  return failure(FailureKind::kNotFound, "lost input: " + uri + " " + why);
}

Result<render::InputFile> fetch(const std::string& uri, const std::string& tenant,
                                jobs::JobStore& store, jobs::ObjectStore& storage) {
  const std::string key = spec::storage_key(uri);
  const Result<jobs::AssetRecord> record = store.asset(tenant, key);
  if (!record && record.failure().kind != FailureKind::kNotFound) return record.failure();
  const Result<std::filesystem::path> path = storage.local(key);
  if (!path && path.failure().kind == FailureKind::kMalformed) {
    return lost(uri, "has other bytes than were uploaded");
  }
  if (!path && path.failure().kind != FailureKind::kNotFound) return path.failure();
  if (!record || !path) return lost(uri, "is gone");
  const Result<std::string> sha256 = sha256_file(*path);
  if (!sha256 && sha256.failure().kind != FailureKind::kNotFound) return sha256.failure();
  if (!sha256) return lost(uri, "is gone");
  if (*sha256 != record->sha256) return lost(uri, "has other bytes than were uploaded");
  return render::InputFile{*path, *sha256};
}

Result<std::optional<render::InputFile>> fetch_logo(jobs::ObjectStore& storage,
                                                    const std::filesystem::path& last_logo) {
  std::filesystem::path found = last_logo;
  for (const char* key : {"brand/watermark.png", "brand/logo.png"}) {
    const Result<std::filesystem::path> path = storage.local(key);
    if (!path && path.failure().kind != FailureKind::kNotFound) return path.failure();
    if (path) found = *path;
  }
  std::error_code error;
  if (found.empty() || !std::filesystem::is_regular_file(found, error)) {
    return std::optional<render::InputFile>();
  }
  const Result<std::string> sha256 = sha256_file(found);
  if (!sha256) return sha256.failure();
  return std::optional(render::InputFile{found, *sha256});
}

}  // namespace

Result<render::Inputs> fetch_inputs(const jobs::Job& job, jobs::JobStore& store,
                                    jobs::ObjectStore& storage,
                                    const std::filesystem::path& last_logo) {
  render::Inputs inputs;
  for (const std::string& uri : job.spec.assets.images) {
    Result<render::InputFile> image = fetch(uri, job.tenant, store, storage);
    if (!image) return image.failure();
    inputs.images.push_back(std::move(image).value());
  }
  for (const std::string& uri : job.spec.assets.clips) {
    Result<render::InputFile> clip = fetch(uri, job.tenant, store, storage);
    if (!clip) return clip.failure();
    inputs.clips.push_back(std::move(clip).value());
  }
  if (job.spec.assets.mask) {
    Result<render::InputFile> mask = fetch(*job.spec.assets.mask, job.tenant, store, storage);
    if (!mask) return mask.failure();
    inputs.mask = std::move(mask).value();
  }
  if (job.spec.assets.music) {
    Result<render::InputFile> music = fetch(*job.spec.assets.music, job.tenant, store, storage);
    if (!music) return music.failure();
    inputs.music = std::move(music).value();
  }
  if (job.spec.assets.voice) {
    Result<render::InputFile> voice = fetch(*job.spec.assets.voice, job.tenant, store, storage);
    if (!voice) return voice.failure();
    inputs.voice = std::move(voice).value();
  }
  if (job.spec.brand_safe) {
    Result<std::optional<render::InputFile>> logo = fetch_logo(storage, last_logo);
    if (!logo) return logo.failure();
    inputs.logo = std::move(logo).value();
  }
  return inputs;
}

}  // namespace pytoon::worker
