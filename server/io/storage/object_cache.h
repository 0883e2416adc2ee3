// Local copies of remote objects, each known by its key and its version (ETag). Bounded in bytes,
// the least recently used go first; but a copy asked for within the last `keeps` stays whatever the
// bound, since somebody may be about to open it.
//
// Thread rule: any thread. The folder is ours alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace pytoon::io {

struct CachedObject {
  std::string key;
  std::string version;
  std::filesystem::path path;
  std::int64_t bytes = 0;
  SteadyTime used_at;
};

class ObjectCache {
 public:
  ObjectCache(std::filesystem::path folder, std::int64_t bytes_max, std::chrono::seconds keeps,
              const Clock& clock)
      : folder_(std::move(folder)), bytes_max_(bytes_max), keeps_(keeps), clock_(clock) {}

  // The latest copy of the key, if there is one. Counts as a use.
  std::optional<CachedObject> find(const std::string& key);
  // Takes the file in (same file system); its new path, or nullopt when it can't be moved.
  std::optional<std::filesystem::path> keep(const std::string& key, const std::string& version,
                                            const std::filesystem::path& file);
  // Removes the copies of a key, also one that was used just now: whoever has it open keeps it.
  void drop(const std::string& key);
  std::int64_t bytes() const;

 private:
  void evict();  // under the lock

  const std::filesystem::path folder_;
  const std::int64_t bytes_max_;
  const std::chrono::seconds keeps_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::list<CachedObject> objects_;  // latest used first
  std::int64_t bytes_ = 0;
};

}  // namespace pytoon::io
