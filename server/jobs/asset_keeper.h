// Uploaded files: checked, kept under a key made of their tenant and their bytes, and found again
// when a job names them.
//
// Thread rule: any thread. Blocks on decoding, hashing and the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/spec/job_request.h"
#include "server/jobs/ports.h"

namespace pytoon::jobs {

// Where the uploads of a tenant are, and nobody else's: "assets/acme/".
std::string asset_folder(const std::string& tenant);

class AssetKeeper {
 public:
  AssetKeeper(JobStore& store, ObjectStore& storage, MediaInspector& inspector)
      : store_(store), storage_(storage), inspector_(inspector) {}

  // kNotFound for another tenant's, as for none. No tenant: everybody's.
  Result<Asset> find(const std::optional<std::string>& tenant, const std::string& key);
  // Its bytes on the local disk. The type is what they were found to be at their upload.
  Result<Artifact> file(const std::optional<std::string>& tenant, const std::string& key);
  // kTooLarge, kUnsupportedType, kMalformed, kInvalid (category, size in pixels, a mask that is
  // none, a clip or audio too long, a clip that is encrypted), kStorageFull. The same bytes again
  // give the same key.
  Result<Asset> keep(const std::string& tenant, const Upload& upload);
  // Whether all files that the request names are this tenant's, still there and fit for their
  // place in a video of that length; all faults at once.
  Status check(const std::string& tenant, const spec::JobRequest& request, int video_seconds);

 private:
  Result<AssetRecord> inspect(const std::string& tenant, const Upload& upload);
  // What is wrong with a URI as `record` is filled in; "" when nothing.
  Result<std::string> look_up(const std::string& tenant, const std::string& uri,
                              AssetRecord& record);

  JobStore& store_;
  ObjectStore& storage_;
  MediaInspector& inspector_;
};

}  // namespace pytoon::jobs
