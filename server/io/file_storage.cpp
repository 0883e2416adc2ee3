#include "server/io/file_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

Failure error_failure(const std::error_code& error, const std::string& what) {
  return errno_failure(error.value(), what);
}

Result<bool> is_elsewhere(const fs::path& file, const fs::path& root) {
  struct stat of_file {};
  struct stat of_root {};
  if (::stat(file.c_str(), &of_file) != 0) {
    return errno_failure(errno, "can't read " + file.string());
  }
  if (::stat(root.c_str(), &of_root) != 0) {
    return errno_failure(errno, "can't read " + root.string());
  }
  return of_file.st_dev != of_root.st_dev;
}

WallTime as_wall_time(const timespec& time) {
  const auto since = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return WallTime(std::chrono::duration_cast<std::chrono::microseconds>(since));
}

// Nothing when the entry is no object, or went away meanwhile.
std::optional<jobs::StoredObject> facts_of(const fs::path& path, std::string key) {
  struct stat target {};
  struct stat entry {};
  if (::stat(path.c_str(), &target) != 0 || !S_ISREG(target.st_mode)) return std::nullopt;
  if (::lstat(path.c_str(), &entry) != 0) return std::nullopt;
  return jobs::StoredObject{std::move(key), target.st_size, as_wall_time(entry.st_mtim)};
}

constexpr const char* kOwnerFile = ".owner";

}  // namespace

FileStorage::FileStorage(Opened /*by open()*/, fs::path root, std::uintmax_t free_bytes_min,
                         FileDescriptor lock, std::unique_ptr<StagingArea> staging, Disk* disk)
    : root_(std::move(root)),
      free_bytes_min_(free_bytes_min),
      lock_(std::move(lock)),
      staging_(std::move(staging)),
      disk_(disk == nullptr ? real_disk_ : *disk) {}

Result<std::unique_ptr<FileStorage>> FileStorage::open(const fs::path& root,
                                                       std::uintmax_t free_bytes_min,
                                                       const FileStorageOptions& options) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return error_failure(error, "can't use " + root.string() + " as storage");
  Result<FileDescriptor> lock = own(root / kOwnerFile, root.string(), options.sharing);
  if (!lock) return lock.failure();
  const bool shared = options.sharing == Sharing::kShared;
  auto staging = shared ? StagingArea::shared(root / ".tmp") : StagingArea::sole(root / ".tmp");
  if (!staging) return staging.failure();
  const fs::path absolute = fs::canonical(root, error);
  if (error) return error_failure(error, "can't use " + root.string() + " as storage");
  return std::make_unique<FileStorage>(Opened{}, absolute, free_bytes_min, std::move(lock).value(),
                                       std::move(staging).value(), options.disk);
}

fs::path FileStorage::staging(const std::string& name) { return staging_->fresh(name); }

Status FileStorage::make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return ok_status();
  if (Status parent = make_folder(folder.parent_path()); !parent) return parent;
  fs::create_directory(folder, error);
  if (error) return error_failure(error, "can't create " + folder.string());
  return disk_.sync_folder(folder.parent_path());
}

Result<fs::path> FileStorage::place(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  fs::path path = root_ / key;
  if (Status made = make_folder(path.parent_path()); !made) return made.failure();
  return path;
}

Status FileStorage::publish(const fs::path& from, const fs::path& path) {
  if (Status renamed = disk_.rename(from, path); !renamed) return renamed;
  return disk_.sync_folder(path.parent_path());
}

Result<fs::path> FileStorage::bring_in(const fs::path& file) {
  fs::path staged = staging(file.filename().string());
  std::error_code error;
  fs::copy_file(file, staged, fs::copy_options::overwrite_existing, error);
  if (!error) return staged;
  std::error_code ignored;
  fs::remove(staged, ignored);
  return error_failure(error, "can't copy to " + staged.string());
}

Status FileStorage::put(const fs::path& file, const std::string& key) {
  Result<fs::path> path = place(key);
  if (!path) return path.failure();
  const Result<bool> across = is_elsewhere(file, root_);
  if (!across) return across.failure();
  Result<fs::path> ready = *across ? bring_in(file) : Result<fs::path>(file);
  if (!ready) return ready.failure();
  ::utimensat(AT_FDCWD, ready->c_str(), nullptr, 0);  // list() tells when it was put
  Status done = disk_.sync_file(*ready);
  if (done) done = publish(*ready, *path);
  std::error_code ignored;
  if (*across) fs::remove(done ? file : *ready, ignored);
  return done;
}

Result<fs::path> FileStorage::local(const std::string& key) {
  const Result<bool> there = contains(key);
  if (!there) return there.failure();
  if (!*there) return failure(FailureKind::kNotFound, "there is no object " + key);
  return root_ / key;
}

Result<bool> FileStorage::contains(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  std::error_code error;
  const fs::file_status status = fs::status(root_ / key, error);
  if (status.type() == fs::file_type::not_found) {
    // Without our own file in it this is not the storage: a volume that is not mounted has no
    // objects either, and that would be a no.
    if (fs::exists(root_ / kOwnerFile, error)) return false;
    return failure(FailureKind::kUnavailable,
                   root_.string() + " is not the storage that was opened: is it mounted?");
  }
  if (error) return error_failure(error, "can't look for " + key);
  return fs::is_regular_file(status);
}

Status FileStorage::link(const std::string& target, const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  const Result<fs::path> shown = local(target);
  if (!shown) return shown.failure();
  Result<fs::path> path = place(key);
  if (!path) return path.failure();
  // Relative, so that the whole storage may be moved or restored elsewhere.
  const fs::path points_to = fs::path(target).lexically_relative(fs::path(key).parent_path());
  const fs::path staged = staging(path->filename().string());
  std::error_code error;
  fs::create_symlink(points_to, staged, error);
  if (error) return error_failure(error, "can't link " + key);
  Status done = publish(staged, *path);
  if (!done) fs::remove(staged, error);
  return done;
}

Status FileStorage::remove(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  std::error_code error;
  fs::remove(root_ / key, error);
  if (error) return error_failure(error, "can't remove " + key);
  return ok_status();
}

Result<std::vector<jobs::StoredObject>> FileStorage::list(const std::string& prefix) {
  const std::size_t slash = prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash);
  if (!folder.empty() && !is_valid_key(folder)) {
    return failure(FailureKind::kInvalid, "not the beginning of storage keys: " + prefix);
  }
  std::vector<jobs::StoredObject> found;
  std::error_code error;
  const fs::path start = folder.empty() ? root_ : root_ / folder;
  if (!fs::is_directory(start, error)) return found;
  for (fs::recursive_directory_iterator at(start, error), end; at != end && !error;
       at.increment(error)) {
    const std::string key = at->path().lexically_relative(root_).string();
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    if (!key.starts_with(prefix)) continue;
    if (auto facts = facts_of(at->path(), key)) found.push_back(std::move(*facts));
  }
  // Folders come and go under a garbage collector; anything else is trouble.
  if (error && error != std::errc::no_such_file_or_directory) {
    return error_failure(error, "can't list " + start.string());
  }
  return found;
}

Result<std::optional<std::string>> FileStorage::presigned(const std::string& key,
                                                          std::chrono::seconds /*valid_for*/) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  return std::optional<std::string>();
}

Status FileStorage::writable() {
  if (::access(staging_->folder().c_str(), W_OK | X_OK) != 0) {
    return failure(FailureKind::kIo, "the storage can't be written");
  }
  std::error_code error;
  const fs::space_info space = fs::space(root_, error);
  if (error) return failure(FailureKind::kIo, "the storage can't be read: " + error.message());
  if (space.available < free_bytes_min_) {
    return failure(FailureKind::kStorageFull, "the storage has only " +
                                                  std::to_string(space.available >> 20U) +
                                                  " MiB left: make room and try again");
  }
  return ok_status();
}

}  // namespace pytoon::io
