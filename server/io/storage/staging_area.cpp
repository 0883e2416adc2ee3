#include "server/io/storage/staging_area.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/ids.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

constexpr int kTriesMax = 100;
constexpr std::string_view kLockEnding = ".lock";

Failure unusable(const std::error_code& error, const fs::path& folder) {
  return errno_failure(error.value(), "can't use " + folder.string());
}

// Opened and locked, and still what the path names: a garbage collector may have removed it in
// between.
FileDescriptor try_lock(const fs::path& file, int flags) {
  FileDescriptor lock(::open(file.c_str(), O_RDWR | O_CLOEXEC | flags, 0644));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
  struct stat opened {};
  struct stat named {};
  if (::fstat(lock.get(), &opened) != 0 || ::stat(file.c_str(), &named) != 0) return {};
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) return {};
  return lock;
}

// A folder's lock is taken before it is made and removed after it: what has no lock is nobody's.
int remove_dead_in(const fs::path& parent) {
  int removed = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    const fs::path path = entry.path();
    if (path.extension() != kLockEnding) {
      const fs::path lock_file = path.string() + std::string(kLockEnding);
      const bool stray = !fs::exists(lock_file, ignored) && fs::remove_all(path, ignored) > 0;
      removed += stray ? 1 : 0;
      continue;
    }
    const FileDescriptor lock = try_lock(path, 0);
    if (!lock) continue;
    fs::remove_all(fs::path(path).replace_extension(), ignored);
    fs::remove(path, ignored);
    ++removed;
  }
  return removed;
}

}  // namespace

StagingArea::StagingArea(Opened /*by the makers*/, fs::path folder, FileDescriptor lock,
                         fs::path lock_file)
    : folder_(std::move(folder)), lock_(std::move(lock)), lock_file_(std::move(lock_file)) {}

StagingArea::~StagingArea() {
  if (lock_file_.empty()) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  fs::remove(lock_file_, ignored);
}

Result<std::unique_ptr<StagingArea>> StagingArea::sole(const fs::path& parent) {
  std::error_code error;
  fs::remove_all(parent, error);
  if (!error) fs::create_directories(parent, error);
  if (error) return unusable(error, parent);
  return std::make_unique<StagingArea>(Opened{}, fs::canonical(parent), FileDescriptor(),
                                       fs::path());
}

Result<std::unique_ptr<StagingArea>> StagingArea::shared(const fs::path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) return unusable(error, parent);
  remove_dead_in(parent);
  RandomIds ids;
  for (int i = 0; i < kTriesMax; ++i) {
    const fs::path folder = fs::canonical(parent) / ids.next();
    const fs::path lock_file = folder.string() + std::string(kLockEnding);
    FileDescriptor lock = try_lock(lock_file, O_CREAT | O_EXCL);
    if (!lock && errno == EEXIST) continue;
    if (!lock && (errno == ENOSPC || errno == EACCES || errno == EROFS)) break;
    if (!lock) continue;  // a garbage collector was faster
    fs::create_directory(folder, error);
    if (error) return unusable(error, folder);
    return std::make_unique<StagingArea>(Opened{}, folder, std::move(lock), lock_file);
  }
  return errno_failure(errno, "can't lock a folder in " + parent.string());
}

Result<int> StagingArea::remove_dead() {
  if (lock_file_.empty()) return 0;
  return remove_dead_in(folder_.parent_path());
}

fs::path StagingArea::fresh(const std::string& name) {
  return folder_ / (std::to_string(++count_) + "-" + name);
}

}  // namespace pytoon::io
