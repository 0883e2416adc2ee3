// Where files live, by key ("assets/acme/12ab.png"): a disk now, an object store later. Producers
// write to a staging path and put() it, readers ask for a local path.
//
// A key is segments of [A-Za-z0-9._-], none starting with a dot, joined by "/": kInvalid otherwise.
// Thread rule: any thread. Blocks on the disk. Errors: kStorageFull, kIo, kNotFound.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::jobs {

struct StoredObject {
  std::string key;
  std::int64_t bytes = 0;
  WallTime changed_at;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // A fresh path to write to before put(); `name` ends it, so that an extension is kept. Whatever
  // is left there when the process dies is removed at the next start.
  virtual std::filesystem::path staging(const std::string& name) = 0;
  // Moves the file to the key, durably and at once for readers; replaces what was there. A file on
  // another file system is copied, then removed.
  virtual Status put(const std::filesystem::path& file, const std::string& key) = 0;
  // A local path to read the object from. kNotFound when there is none.
  virtual Result<std::filesystem::path> local(const std::string& key) = 0;
  virtual bool exists(const std::string& key) = 0;
  // Makes `key` show the same file as `target`, replacing what was there.
  virtual Status link(const std::string& target, const std::string& key) = 0;
  virtual Status remove(const std::string& key) = 0;  // fine when there is none
  // All objects and links whose key begins with the prefix, in no order; what is being written is
  // not among them.
  virtual Result<std::vector<StoredObject>> list(const std::string& prefix) = 0;
  // kStorageFull when too little space is left, kIo when it can't be written.
  virtual Status writable() = 0;
};

}  // namespace pytoon::jobs
