#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace pytoon {
namespace fs = std::filesystem;

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Failure errno_failure(int error, const std::string& what) {
  FailureKind kind = FailureKind::kIo;
  if (error == ENOSPC || error == EDQUOT) kind = FailureKind::kStorageFull;
  if (error == ENOENT) kind = FailureKind::kNotFound;
  return failure(kind, what + ": " + std::strerror(error));
}

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_failure(errno, "can't open " + path.string());
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) return failure(FailureKind::kIo, "can't read " + path.string());
  return std::move(bytes).str();
}

fs::path temporary_beside(const fs::path& path) {
  static std::atomic<std::uint64_t> counter{0};
  const std::string name = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(++counter) +
                           "-" + path.filename().string();
  return path.parent_path() / name;
}

namespace {

Status sync_path(const fs::path& path, int flags) {
  const FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) return errno_failure(errno, "can't open " + path.string());
  if (::fsync(fd.get()) != 0) return errno_failure(errno, "can't sync " + path.string());
  return ok_status();
}

Status write_all(const fs::path& path, std::string_view bytes, FileAccess access) {
  const mode_t mode = access == FileAccess::kPrivate ? 0600 : 0644;
  // O_EXCL: a file that lies there already, such as a dead process's, would keep its own mode.
  ::unlink(path.c_str());
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return errno_failure(errno, "can't create " + path.string());
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_failure(errno, "can't write " + path.string());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok_status();
}

}  // namespace

Status publish_file(const fs::path& temporary, const fs::path& path) {
  if (Status synced = sync_path(temporary, O_RDONLY); !synced) return synced;
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return errno_failure(errno, "can't rename to " + path.string());
  }
  return sync_path(path.parent_path().empty() ? fs::path(".") : path.parent_path(),
                   O_RDONLY | O_DIRECTORY);
}

Status create_private_folders(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || fs::is_directory(folder, error)) return ok_status();
  if (Status parent = create_private_folders(folder.parent_path()); !parent) return parent;
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return ok_status();
  return errno_failure(errno, "can't create " + folder.string());
}

Status write_file_atomically(const fs::path& path, std::string_view bytes, FileAccess access) {
  const fs::path temporary = temporary_beside(path);
  Status done = write_all(temporary, bytes, access);
  if (done) done = publish_file(temporary, path);
  if (!done) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
  }
  return done;
}

}  // namespace pytoon
