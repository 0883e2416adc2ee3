#include "server/io/storage/object_cache.h"

#include <algorithm>

#include "base/hash.h"

namespace pytoon::io {
namespace fs = std::filesystem;

std::optional<CachedObject> ObjectCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(objects_.begin(), objects_.end(),
                                  [&key](const CachedObject& object) { return object.key == key; });
  if (found == objects_.end()) return std::nullopt;
  found->used_at = clock_.steady_now();
  objects_.splice(objects_.begin(), objects_, found);
  return *found;
}

std::optional<fs::path> ObjectCache::keep(const std::string& key, const std::string& version,
                                          const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (!error) fs::create_directories(folder_, error);
  // The key's own ending stays: decoders look at it.
  const fs::path path = folder_ / (sha256_hex(key + "\n" + version).substr(0, 32) +
                                   fs::path(key).extension().string());
  const std::lock_guard lock(mutex_);
  if (!error) fs::rename(file, path, error);
  if (error) return std::nullopt;
  const auto same = std::find_if(objects_.begin(), objects_.end(),
                                 [&path](const auto& object) { return object.path == path; });
  if (same != objects_.end()) {
    bytes_ -= same->bytes;
    objects_.erase(same);
  }
  objects_.push_front({key, version, path, static_cast<std::int64_t>(bytes), clock_.steady_now()});
  bytes_ += static_cast<std::int64_t>(bytes);
  evict();
  return path;
}

void ObjectCache::drop(const std::string& key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(objects_, [&](const CachedObject& object) {
    if (object.key != key) return false;
    std::error_code ignored;
    fs::remove(object.path, ignored);
    bytes_ -= object.bytes;
    return true;
  });
}

std::int64_t ObjectCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ObjectCache::evict() {
  const SteadyTime now = clock_.steady_now();
  while (bytes_ > bytes_max_ && now - objects_.back().used_at > keeps_) {
    std::error_code ignored;
    fs::remove(objects_.back().path, ignored);
    bytes_ -= objects_.back().bytes;
    objects_.pop_back();
  }
}

}  // namespace pytoon::io
