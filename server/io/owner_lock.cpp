#include "server/io/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace pytoon::io {

Result<FileDescriptor> own(const std::filesystem::path& lock_file, const std::string& what) {
  FileDescriptor lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return errno_failure(errno, "can't create " + lock_file.string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return failure(FailureKind::kConflict,
                   "another Pytoon process owns " + what + ": stop it, or speak to it by REST");
  }
  return lock;
}

}  // namespace pytoon::io
