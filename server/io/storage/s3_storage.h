// The ObjectStore in S3. Producers write to a local staging folder, put() uploads; local() fetches
// into a cache beside it and asks S3 each time whether the copy is still the object (one small
// request). Bytes are checked by SHA-256 both ways: S3 refuses an upload that arrives damaged, and
// a download is compared with what the uploader noted. A link is a copy made by S3 itself.
//
// Thread rule: any thread. Blocks on the network for at most the time limits of S3Options, tries
// included. Errors: as S3Client; kBadResponse for a list that can't be read, kMalformed for a
// download that is not what was put. Limits: an object has 10,000 parts at most.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/http_client.h"
#include "server/io/storage/object_cache.h"
#include "server/io/storage/s3_client.h"
#include "server/io/storage/s3_options.h"
#include "server/io/storage/staging_area.h"
#include "server/jobs/object_store.h"

namespace pytoon::io {

class S3Storage final : public jobs::ObjectStore {
  struct Opened {};  // only open() makes one

 public:
  // work: a local folder, shared by the processes of this machine; what dead ones left there goes.
  // Asks nothing of S3: writable() does. free_bytes_min: as in FileStorage, of `work`.
  // http and clock must outlive the storage.
  static Result<std::unique_ptr<S3Storage>> open(const S3Options& options,
                                                 const std::filesystem::path& work,
                                                 std::uintmax_t free_bytes_min, HttpClient& http,
                                                 Clock& clock);
  S3Storage(Opened /*by open()*/, const S3Options& options, std::unique_ptr<StagingArea> staging,
            std::uintmax_t free_bytes_min, HttpClient& http, Clock& clock);

  std::filesystem::path staging(const std::string& name) override;
  Status put(const std::filesystem::path& file, const std::string& key) override;
  Result<std::filesystem::path> local(const std::string& key) override;
  Result<bool> contains(const std::string& key) override;
  Status link(const std::string& target, const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::unique_ptr<jobs::ObjectWalk>> walk(const std::string& prefix) override;
  Result<WallTime> now() override;
  // Uploads in parts that processes which died left in the bucket, and their local folders.
  Result<int> reclaim_abandoned() override;
  Result<std::optional<std::string>> presigned(const std::string& key,
                                               std::chrono::seconds valid_for) override;
  // Asks S3, at most once a second while all is well.
  Status writable() override;

 private:
  Result<std::filesystem::path> fetch(const std::string& key);

  const S3Options options_;
  const std::unique_ptr<StagingArea> staging_;
  const std::uintmax_t free_bytes_min_;
  Clock& clock_;
  S3Client client_;
  ObjectCache cache_;
  std::mutex mutex_;
  std::optional<SteadyTime> well_at_;  // guarded by mutex_
};

}  // namespace pytoon::io
