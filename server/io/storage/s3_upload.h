// How a file gets to S3: at once, or in parts when it is large. The object appears whole or not at
// all, whatever happens on the way; parts of an upload that failed are taken back, those of a
// process that died by abort_abandoned().
//
// Thread rule: any thread; holds one part in memory. Errors: as S3Client, and those of the file.
#pragma once

#include <filesystem>
#include <string>

#include "server/io/storage/s3_client.h"

namespace pytoon::io {

// The header by which our objects carry the SHA-256 of their bytes.
inline constexpr const char* kSha256Header = "x-amz-meta-sha256";

// The ETag of the object.
Result<std::string> upload(S3Client& client, const S3Options& options,
                           const std::filesystem::path& file, const std::string& key);
// Takes back multipart uploads to keys of ours that began more than options.abandoned_after ago;
// how many.
Result<int> abort_abandoned(S3Client& client, const S3Options& options, WallTime now);

}  // namespace pytoon::io
