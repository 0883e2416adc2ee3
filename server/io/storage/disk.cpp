#include "server/io/storage/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/files.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

Status sync_path(const fs::path& path, int flags) {
  const FileDescriptor fd(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_failure(errno, "can't open " + path.string());
  if (::fsync(fd.get()) != 0) return errno_failure(errno, "can't sync " + path.string());
  return ok_status();
}

}  // namespace

Status RealDisk::sync_file(const fs::path& path) { return sync_path(path, 0); }

Status RealDisk::rename(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return ok_status();
  return errno_failure(errno, "can't rename to " + to.string());
}

Status RealDisk::sync_folder(const fs::path& path) { return sync_path(path, O_DIRECTORY); }

Status ForgetfulDisk::sync_file(const fs::path& /*path*/) { return ok_status(); }

Status ForgetfulDisk::rename(const fs::path& from, const fs::path& to) {
  return RealDisk().rename(from, to);
}

Status ForgetfulDisk::sync_folder(const fs::path& /*path*/) { return ok_status(); }

}  // namespace pytoon::io
