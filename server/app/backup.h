// A backup: a folder with the database, the storage's files and a manifest that says what belongs
// to it, with checksums.
//
//   manifest.json   written last: without it the backup is not whole
//   database.sqlite | database.pgdump
//   storage/...     as below the storage's root
//
// The database is copied first: whatever its rows name was in storage before, and objects are never
// changed in place, so the files copied after it fit. Files that come to be meanwhile are extra;
// the garbage collector removes them a day after a restore. On one file system files are hard
// links: a backup costs next to no space until the originals are removed.
//
// Thread rule: pure but for the disk; one thread. Blocks for as long as all bytes take to be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::app {

struct BackupEntry {
  std::string path;  // below the backup's folder
  std::int64_t bytes = 0;
  std::string sha256;
  std::string link;  // the target, when it is a symbolic link
};

struct Manifest {
  std::string created_at;  // ISO-8601
  std::string database;    // "sqlite" | "postgresql"
  std::vector<BackupEntry> entries;
};

// What is in the storage, beside what it keeps for itself (names that begin with a dot), copied to
// folder/storage and added to the manifest.
Status copy_storage(const std::filesystem::path& root, const std::filesystem::path& folder,
                    Manifest& manifest);
// A file that lies in the folder already.
Status add_entry(const std::filesystem::path& folder, const std::string& path, Manifest& manifest);

Status write_manifest(const Manifest& manifest, const std::filesystem::path& folder);
// kNotFound without a manifest, kMalformed when it can't be read.
Result<Manifest> read_manifest(const std::filesystem::path& folder);

// Every file is there with its bytes. kMalformed naming the first that is not.
Status verify(const Manifest& manifest, const std::filesystem::path& folder);
// The storage's files, copied below root, over what is there.
Status put_back_storage(const Manifest& manifest, const std::filesystem::path& folder,
                        const std::filesystem::path& root);

}  // namespace pytoon::app
