#include "server/io/file_storage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "server/io/owner_lock.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::size_t kMaxSegmentBytes = 200;

bool is_valid_segment(std::string_view segment) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !segment.empty() && segment.size() <= kMaxSegmentBytes && segment.front() != '.' &&
         segment.find_first_not_of(kLetters) == std::string_view::npos;
}

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

// From another file system: through the staging folder of ours.
Status copy_across(const fs::path& file, const fs::path& staged, const fs::path& path) {
  std::error_code error;
  fs::copy_file(file, staged, fs::copy_options::overwrite_existing, error);
  if (error) {
    std::error_code ignored;
    fs::remove(staged, ignored);
    return error_failure(error, "can't copy to " + staged.string());
  }
  Status published = publish_file(staged, path);
  fs::remove(published ? file : staged, error);
  return published;
}

}  // namespace

bool is_valid_key(const std::string& key) {
  if (key.size() > kMaxKeyBytes) return false;
  std::string_view rest = key;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (!is_valid_segment(rest.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

Result<std::unique_ptr<FileStorage>> FileStorage::open(const fs::path& root,
                                                       std::uintmax_t free_bytes_min) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return error_failure(error, "can't use " + root.string() + " as storage");
  Result<FileDescriptor> lock = own(root / ".owner", root.string());
  if (!lock) return lock.failure();
  const fs::path staging = root / ".tmp";
  fs::remove_all(staging, error);
  if (!error) fs::create_directories(staging, error);
  if (error) return error_failure(error, "can't use " + root.string() + " as storage");
  const fs::path absolute = fs::canonical(root, error);
  if (error) return error_failure(error, "can't use " + root.string() + " as storage");
  return std::make_unique<FileStorage>(Opened{}, absolute, free_bytes_min, std::move(lock).value());
}

fs::path FileStorage::staging(const std::string& name) {
  return root_ / ".tmp" / (std::to_string(++staged_) + "-" + name);
}

Result<fs::path> FileStorage::place(const std::string& key) {
  if (!is_valid_key(key)) return failure(FailureKind::kInvalid, "not a storage key: " + key);
  fs::path path = root_ / key;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return error_failure(error, "can't create " + path.parent_path().string());
  return path;
}

Status FileStorage::put(const fs::path& file, const std::string& key) {
  Result<fs::path> path = place(key);
  if (!path) return path.failure();
  const Result<bool> across = is_elsewhere(file, root_);
  if (!across) return across.failure();
  if (*across) return copy_across(file, staging(path->filename().string()), *path);
  return publish_file(file, *path);
}

Result<fs::path> FileStorage::local(const std::string& key) {
  if (!exists(key)) return failure(FailureKind::kNotFound, "there is no object " + key);
  return root_ / key;
}

bool FileStorage::exists(const std::string& key) {
  std::error_code error;
  return is_valid_key(key) && fs::is_regular_file(root_ / key, error);
}

Status FileStorage::link(const std::string& target, const std::string& key) {
  if (!is_valid_key(target)) return failure(FailureKind::kInvalid, "not a storage key: " + target);
  Result<fs::path> path = place(key);
  if (!path) return path.failure();
  // Relative, so that the whole storage may be moved or restored elsewhere.
  const fs::path points_to = fs::path(target).lexically_relative(fs::path(key).parent_path());
  const fs::path staged = staging(path->filename().string());
  std::error_code error;
  fs::create_symlink(points_to, staged, error);
  if (!error) fs::rename(staged, *path, error);
  if (!error) return ok_status();
  std::error_code ignored;
  fs::remove(staged, ignored);
  return error_failure(error, "can't link " + key);
}

Status FileStorage::remove(const std::string& key) {
  if (!is_valid_key(key)) return failure(FailureKind::kInvalid, "not a storage key: " + key);
  std::error_code error;
  fs::remove(root_ / key, error);
  if (error) return error_failure(error, "can't remove " + key);
  return ok_status();
}

Result<std::vector<jobs::StoredObject>> FileStorage::list(const std::string& prefix) {
  std::vector<jobs::StoredObject> found;
  std::error_code error;
  const fs::path start = root_ / prefix.substr(0, prefix.find_last_of('/') + 1);
  fs::recursive_directory_iterator at(start, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const std::string key = at->path().lexically_relative(root_).string();
    struct stat facts {};
    if (::lstat(at->path().c_str(), &facts) != 0) continue;  // gone meanwhile
    if (S_ISDIR(facts.st_mode) || !key.starts_with(prefix) || !is_valid_key(key)) continue;
    const auto since = std::chrono::seconds(facts.st_mtim.tv_sec) +
                       std::chrono::microseconds(facts.st_mtim.tv_nsec / 1000);
    found.push_back({key, facts.st_size, WallTime(since)});
  }
  if (error) return error_failure(error, "can't list " + start.string());
  return found;
}

Status FileStorage::writable() {
  if (::access((root_ / ".tmp").c_str(), W_OK | X_OK) != 0) {
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
