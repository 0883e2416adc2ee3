#include "server/worker/input_cache.h"

#include <sys/stat.h>

#include "base/hash.h"
#include "pipeline/spec/job_request.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

namespace {

// Well within the hour for which storage lets a path be used.
constexpr std::chrono::minutes kAskAgainAfter{10};

Failure lost(const std::string& uri, const std::string& why) {
  return failure(FailureKind::kNotFound, "lost input: " + uri + " " + why);
}

Failure lost_unless_away(const Failure& fault, const std::string& uri) {
  return fault.kind == FailureKind::kNotFound ? lost(uri, "is gone") : fault;
}

}  // namespace

std::optional<InputCache::Identity> InputCache::identity_of(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return Identity{found.st_ino, found.st_size,
                  std::int64_t{found.st_mtim.tv_sec} * kNanoseconds + found.st_mtim.tv_nsec};
}

std::shared_ptr<InputCache::Slot> InputCache::slot_of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  recent_.remove(name);
  recent_.push_back(name);
  while (recent_.size() > kAssetsKept) {
    slots_.erase(recent_.front());
    recent_.pop_front();
  }
  std::shared_ptr<Slot>& slot = slots_[name];
  if (!slot) slot = std::make_shared<Slot>();
  return slot;
}

Result<std::string> InputCache::row_hash(Slot& slot, const std::string& tenant,
                                         const std::string& uri) {
  if (slot.sha256) return *slot.sha256;
  const Result<jobs::AssetRecord> record = jobs_.asset(tenant, spec::storage_key(uri));
  if (!record) return lost_unless_away(record.failure(), uri);
  slot.sha256 = record->sha256;
  return record->sha256;
}

Result<plan::InputFile> InputCache::hash_of(const std::string& tenant, const std::string& uri) {
  const std::shared_ptr<Slot> slot = slot_of(tenant + " " + uri);
  const std::lock_guard lock(slot->mutex);
  const Result<std::string> sha256 = row_hash(*slot, tenant, uri);
  if (!sha256) return sha256.failure();
  return plan::InputFile{{}, *sha256};
}

Result<InputCache::Checked> InputCache::check(Slot& slot, const fs::path& path) {
  const std::optional<Identity> identity = identity_of(path);
  if (!identity) return failure(FailureKind::kNotFound, path.filename().string() + " is gone");
  if (slot.file && slot.file->path == path && slot.file->identity == *identity) {
    slot.file->asked_at = clock_.steady_now();
    return *slot.file;
  }
  const Result<std::string> sha256 = sha256_file(path);
  if (!sha256) return sha256.failure();
  return Checked{path, *identity, *sha256, clock_.steady_now()};
}

Result<plan::InputFile> InputCache::file_of(const std::string& tenant, const std::string& uri) {
  const std::shared_ptr<Slot> slot = slot_of(tenant + " " + uri);
  const std::lock_guard lock(slot->mutex);
  const Result<std::string> wanted = row_hash(*slot, tenant, uri);
  if (!wanted) return wanted.failure();
  std::optional<Checked>& known = slot->file;
  const bool fresh = known && clock_.steady_now() - known->asked_at < kAskAgainAfter &&
                     identity_of(known->path) == known->identity;
  if (fresh) return plan::InputFile{known->path, *wanted};
  const Result<fs::path> path = storage_.local(spec::storage_key(uri));
  if (!path && path.failure().kind == FailureKind::kMalformed) {
    return lost(uri, "has other bytes than were uploaded");
  }
  if (!path) return lost_unless_away(path.failure(), uri);
  Result<Checked> checked = check(*slot, *path);
  if (!checked) return lost_unless_away(checked.failure(), uri);
  if (checked->sha256 != *wanted) return lost(uri, "has other bytes than were uploaded");
  known = std::move(*checked);
  return plan::InputFile{known->path, *wanted};
}

Result<std::optional<plan::InputFile>> InputCache::logo() {
  // It enters the content keys, so it must be the same for every worker: it comes from the shared
  // storage alone, and a storage that can't be asked is a Failure, never "no logo".
  for (const char* key : {"brand/logo.png", "brand/watermark.png", "assets/brand_logo.png"}) {
    const Result<fs::path> path = storage_.local(key);
    if (!path && path.failure().kind == FailureKind::kNotFound) continue;
    if (!path) return path.failure();
    const std::shared_ptr<Slot> slot = slot_of("logo " + path->string());
    const std::lock_guard lock(slot->mutex);
    Result<Checked> checked = check(*slot, *path);
    if (!checked) return checked.failure();
    slot->file = *checked;
    return std::optional(plan::InputFile{checked->path, checked->sha256});
  }
  return std::optional<plan::InputFile>();
}

void InputCache::forget() {
  const std::lock_guard lock(mutex_);
  slots_.clear();
  recent_.clear();
}

}  // namespace pytoon::worker
