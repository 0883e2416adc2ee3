// Files on disk: read whole, publish atomically, and an owning descriptor.
//
// Publishing is: write beside the target under a temporary name, fsync, rename, fsync the folder.
// A reader sees the old file or the new one, never a part. Temporary names start with ".tmp-".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace pytoon {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

Result<std::string> read_file(const std::filesystem::path& path);
// Who may read a file: kPrivate is mode 0600 from its very creation, for secrets.
enum class FileAccess { kPublic, kPrivate };
// kStorageFull when the disk is full, else kIo.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                             FileAccess access = FileAccess::kPublic);
// Creates the folder and those above it; what it creates has mode 0700 from the start, what is
// there already stays as it is.
Status create_private_folders(const std::filesystem::path& folder);
// Makes an already written file durable and gives it its final name (same file system).
Status publish_file(const std::filesystem::path& temporary, const std::filesystem::path& path);
// A name for a temporary file beside path: unique within the process and across processes.
std::filesystem::path temporary_beside(const std::filesystem::path& path);
// The failure that errno describes: kStorageFull for ENOSPC and EDQUOT, kNotFound for ENOENT.
Failure errno_failure(int error, const std::string& what);

}  // namespace pytoon
