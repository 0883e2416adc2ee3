// The assets that tasks work on: from storage URIs to files that hold the bytes that were uploaded.
// What was asked for once is remembered for a while, so that twenty segments that show one image
// read its row and hash its file once, whatever job they belong to.
//
// Thread rule: any thread. Blocks on the database, on storage and on reading a file that is new
// here; a second asker of the same asset waits for the first. Errors: kNotFound, "lost input: ...",
// for an asset that is gone or has other bytes than were uploaded; those of the database and of
// storage.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

class InputCache {
 public:
  // All must outlive the cache.
  InputCache(jobs::JobStore& jobs, jobs::ObjectStore& storage, Clock& clock)
      : jobs_(jobs), storage_(storage), clock_(clock) {}

  // The hash of an asset as its row says; no file is asked for, and the path is empty.
  Result<plan::InputFile> hash_of(const std::string& tenant, const std::string& uri);
  // Its file. Storage is asked again when that was long ago or the file is not the same any more.
  Result<plan::InputFile> file_of(const std::string& tenant, const std::string& uri);
  // The first logo there is in storage of brand/logo.png, brand/watermark.png and
  // assets/brand_logo.png; none is fine. Asked for anew each time: it may change.
  Result<std::optional<plan::InputFile>> logo();
  // An object that a row of ours vouches for, such as an engine's clip.
  Result<std::filesystem::path> object(const std::string& key) { return storage_.local(key); }
  // Reads everything anew the next time.
  void forget();

 private:
  static constexpr std::size_t kAssetsKept = 1024;

  // What tells whether a file is still the one that was hashed.
  struct Identity {
    ino_t inode = 0;
    off_t bytes = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Checked {
    std::filesystem::path path;
    Identity identity;
    std::string sha256;
    SteadyTime asked_at;
  };
  struct Slot {
    std::mutex mutex;
    std::optional<std::string> sha256;  // by the asset's row
    std::optional<Checked> file;
  };

  static std::optional<Identity> identity_of(const std::filesystem::path& path);
  std::shared_ptr<Slot> slot_of(const std::string& name);
  Result<std::string> row_hash(Slot& slot, const std::string& tenant, const std::string& uri);
  // Of a file that storage just gave. kNotFound when it is gone.
  Result<Checked> check(Slot& slot, const std::filesystem::path& path);

  jobs::JobStore& jobs_;
  jobs::ObjectStore& storage_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // this and what follows: guarded by mutex_
  std::list<std::string> recent_;                       // latest last
};

}  // namespace pytoon::worker
