#include "server/io/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace pytoon::io {

Result<FileDescriptor> own(const std::filesystem::path& lock_file, const std::string& what,
                           Sharing sharing) {
  FileDescriptor lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return errno_failure(errno, "can't create " + lock_file.string());
  const int mode = sharing == Sharing::kShared ? LOCK_SH : LOCK_EX;
  if (::flock(lock.get(), mode | LOCK_NB) == 0) return lock;
  const std::string remedy =
      sharing == Sharing::kShared
          ? "another Pytoon process owns " + what + " alone: stop it"
          : "another Pytoon process owns " + what + ": stop it, or speak to it by REST";
  return failure(FailureKind::kConflict, remedy);
}

}  // namespace pytoon::io
