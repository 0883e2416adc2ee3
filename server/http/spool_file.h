// A temporary file for bytes on their way in. It is removed when this object goes, unless somebody
// has moved it elsewhere by then. The folder belongs to one process: clear_spool() empties it of
// what a crash left behind.
//
// Not for use from two threads at a time. Blocks on the disk. Errors: kStorageFull, kIo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::http {

class SpoolFile {
 public:
  static Result<SpoolFile> create(const std::filesystem::path& folder);
  ~SpoolFile();
  SpoolFile(SpoolFile&& other) noexcept;
  SpoolFile& operator=(SpoolFile&& other) noexcept;

  Status append(std::string_view bytes);
  // Closes the descriptor; the file stays until this object goes.
  void close();
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  SpoolFile(std::filesystem::path path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;  // empty when moved from
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

// Makes the folder if need be and removes stale spool files, and nothing else, from it.
Status clear_spool(const std::filesystem::path& folder);

}  // namespace pytoon::http
