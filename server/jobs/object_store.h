// Where files live, by key ("assets/acme/12ab.png"): a disk, a shared volume, or S3. Producers
// write to a staging path and put() it, readers ask for a local path.
//
// A key is segments of [A-Za-z0-9._-], none starting with a dot, joined by "/": kInvalid otherwise.
// Thread rule: any thread. Blocks on the disk, or on the network for at most its time limits.
// Errors: kStorageFull, kIo, kNotFound; kMalformed when what is there is not what was stored;
// kUnavailable and kTimeout when a remote store can't be asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::jobs {

struct StoredObject {
  std::string key;
  std::int64_t bytes = 0;
  WallTime changed_at;  // when it was put there, by the store's own clock
};

// An iterator over stored objects: a page at a time, so that memory is bounded by the page however
// many there are. Thread rule: one thread. Must not outlive its store.
class ObjectWalk {
 public:
  virtual ~ObjectWalk() = default;

  // At most `limit` (>= 1) more of them, in any order; none: that was all. What is put or removed
  // during the walk may be missed or shown. After a Failure the walk is over.
  virtual Result<std::vector<StoredObject>> next(std::size_t limit) = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // A fresh path to write to before put(); `name` ends it, so that an extension is kept. Whatever
  // is left there when the process dies is removed at a later start.
  virtual std::filesystem::path staging(const std::string& name) = 0;
  // Moves the file to the key, durably and at once for readers; replaces what was there. The file
  // may lie anywhere; it is gone afterwards.
  virtual Status put(const std::filesystem::path& file, const std::string& key) = 0;
  // A path to read the object from, never to write to. It may be a copy that was fetched for this
  // call: good for an hour after the latest local() of that key, or until the object is removed.
  // kNotFound when there is none.
  virtual Result<std::filesystem::path> local(const std::string& key) = 0;
  // Whether there is such an object: a store that can't be asked is a Failure, not a no.
  virtual Result<bool> contains(const std::string& key) = 0;
  // Makes `key` show what is at `target` now, replacing what was there. kNotFound when there is
  // none. The target must be neither replaced nor removed while `key` is wanted.
  virtual Status link(const std::string& target, const std::string& key) = 0;
  virtual Status remove(const std::string& key) = 0;  // fine when there is none
  // Those whose key begins with `prefix`. A page takes up to a second for every ten thousand.
  virtual Result<std::unique_ptr<ObjectWalk>> walk(const std::string& prefix) = 0;
  // All of a walk at once: for prefixes with few objects.
  Result<std::vector<StoredObject>> list(const std::string& prefix);
  // The time now by the clock that StoredObject::changed_at is read from: what their ages are
  // counted by, however wrong the clock of this machine is.
  virtual Result<WallTime> now() = 0;
  // Takes back what processes that died left half-made: staged files, uploads in parts. Gives how
  // many. Never touches what a living process works on.
  virtual Result<int> reclaim_abandoned() = 0;
  // A URL that anybody may GET the object from for so long, past our API; nullopt where the store
  // has none to give. Does not ask whether the object is there.
  virtual Result<std::optional<std::string>> presigned(const std::string& key,
                                                       std::chrono::seconds valid_for) = 0;
  // kStorageFull when too little space is left, kIo when it can't be written.
  virtual Status writable() = 0;
};

inline Result<std::vector<StoredObject>> ObjectStore::list(const std::string& prefix) {
  constexpr std::size_t kPage = 1000;
  Result<std::unique_ptr<ObjectWalk>> walk = this->walk(prefix);
  if (!walk) return walk.failure();
  std::vector<StoredObject> all;
  for (;;) {
    const Result<std::vector<StoredObject>> page = (*walk)->next(kPage);
    if (!page) return page.failure();
    if (page->empty()) return all;
    all.insert(all.end(), page->begin(), page->end());
  }
}

}  // namespace pytoon::jobs
