#include "server/io/file_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

Failure error_failure(const std::error_code& error, const std::string& what) {
  return errno_failure(error.value(), what);
}

// What a file can be renamed within: two volumes, or two folders that a unit of systemd may write,
// are of one disk, and no file moves between them by its name. Source: rename(2), EXDEV.
struct Mount {
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t id = 0;  // 0 before Linux 5.8
  bool operator==(const Mount&) const = default;
};

Result<Mount> mount_of(const fs::path& path) {
  struct statx facts {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &facts) != 0) {
    return errno_failure(errno, "can't read " + path.string());
  }
  return Mount{facts.stx_dev_major, facts.stx_dev_minor, facts.stx_mnt_id};
}

Result<bool> is_elsewhere(const fs::path& file, const fs::path& root) {
  const Result<Mount> of_file = mount_of(file);
  if (!of_file) return of_file.failure();
  const Result<Mount> of_root = mount_of(root);
  if (!of_root) return of_root.failure();
  return *of_file != *of_root;
}

WallTime as_wall_time(const timespec& time) {
  const auto since = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return WallTime(std::chrono::duration_cast<std::chrono::microseconds>(since));
}

constexpr const char* kOwnerFile = ".owner";
constexpr int kPlaceTries = 8;
// Folders above it stay though they are empty: "segments", "assets".
constexpr std::ptrdiff_t kLevelsKept = 1;

// Nothing when the entry is no object, or went away meanwhile.
std::optional<jobs::StoredObject> facts_of(const fs::path& path, std::string key) {
  struct stat target {};
  struct stat entry {};
  if (::lstat(path.c_str(), &entry) != 0) return std::nullopt;
  // A link whose target is gone is still there to be removed.
  const bool leads = ::stat(path.c_str(), &target) == 0;
  if (leads ? !S_ISREG(target.st_mode) : !S_ISLNK(entry.st_mode)) return std::nullopt;
  return jobs::StoredObject{std::move(key), leads ? target.st_size : 0,
                            as_wall_time(entry.st_mtim)};
}

// Reads folders as it goes: what it holds does not grow with the number of files. A folder that is
// removed under it is passed over.
class FolderWalk final : public jobs::ObjectWalk {
 public:
  FolderWalk(fs::path root, std::string prefix)
      : root_(std::move(root)), prefix_(std::move(prefix)) {
    const std::size_t slash = prefix_.rfind('/');
    descend(slash == std::string::npos ? root_ : root_ / prefix_.substr(0, slash));
  }

  Result<std::vector<jobs::StoredObject>> next(std::size_t limit) override {
    std::vector<jobs::StoredObject> page;
    while (!folders_.empty() && !error_ && page.size() < limit) {
      fs::directory_iterator& at = folders_.back();
      if (at == fs::directory_iterator()) {
        folders_.pop_back();
        continue;
      }
      const fs::path path = at->path();
      at.increment(error_);
      if (!path.filename().string().starts_with('.')) visit(path, page);
    }
    if (error_) return error_failure(error_, "can't list " + root_.string());
    return page;
  }

 private:
  void visit(const fs::path& path, std::vector<jobs::StoredObject>& page) {
    std::error_code ignored;
    if (fs::is_directory(fs::symlink_status(path, ignored))) return descend(path);
    const std::string key = path.lexically_relative(root_).string();
    if (!key.starts_with(prefix_)) return;
    if (auto facts = facts_of(path, key)) page.push_back(std::move(*facts));
  }
  void descend(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator inside(folder, error);
    const bool gone =
        error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    if (!error) folders_.push_back(std::move(inside));
    if (error && !gone) error_ = error;
  }

  const fs::path root_;
  const std::string prefix_;
  std::vector<fs::directory_iterator> folders_;  // the innermost last
  std::error_code error_;
};

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
  // What is there already may be gone again at the next look: publish() sees to that.
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return errno_failure(errno, "can't create " + folder.string());
  }
  return disk_.sync_folder(folder.parent_path());
}

// remove() takes empty folders away, also one that we have just made: then it is made once more.
Status FileStorage::publish(const fs::path& from, const fs::path& path) {
  for (int tried = 1;; ++tried) {
    Status done = make_folder(path.parent_path());
    if (done) done = disk_.rename(from, path);
    if (done) return disk_.sync_folder(path.parent_path());
    std::error_code error;
    const bool folder_went = done.failure().kind == FailureKind::kNotFound &&
                             fs::exists(fs::symlink_status(from, error));
    if (!folder_went || tried >= kPlaceTries) return done;
  }
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
  if (Status fine = check_key(key); !fine) return fine;
  const Result<bool> across = is_elsewhere(file, root_);
  if (!across) return across.failure();
  Result<fs::path> ready = *across ? bring_in(file) : Result<fs::path>(file);
  if (!ready) return ready.failure();
  ::utimensat(AT_FDCWD, ready->c_str(), nullptr, 0);  // list() tells when it was put
  Status done = disk_.sync_file(*ready);
  if (done) done = publish(*ready, root_ / key);
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

// Without our own file in it this is not the storage: a volume that is not mounted has no objects
// either, and must not say that there are none, or that they were removed.
Status FileStorage::present() const {
  std::error_code error;
  if (fs::exists(root_ / kOwnerFile, error)) return ok_status();
  return failure(FailureKind::kUnavailable,
                 root_.string() + " is not the storage that was opened: is it mounted?");
}

Result<bool> FileStorage::contains(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  std::error_code error;
  const fs::file_status status = fs::status(root_ / key, error);
  if (status.type() == fs::file_type::not_found) {
    if (Status there = present(); !there) return there.failure();
    return false;
  }
  if (error) return error_failure(error, "can't look for " + key);
  return fs::is_regular_file(status);
}

Status FileStorage::link(const std::string& target, const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  const Result<fs::path> shown = local(target);
  if (!shown) return shown.failure();
  // Relative, so that the whole storage may be moved or restored elsewhere.
  const fs::path points_to = fs::path(target).lexically_relative(fs::path(key).parent_path());
  const fs::path staged = staging(fs::path(key).filename().string());
  std::error_code error;
  fs::create_symlink(points_to, staged, error);
  if (error) return error_failure(error, "can't link " + key);
  Status done = publish(staged, root_ / key);
  if (!done) fs::remove(staged, error);
  return done;
}

Status FileStorage::remove(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  std::error_code error;
  const bool removed = fs::remove(root_ / key, error);
  if (error) return error_failure(error, "can't remove " + key);
  if (!removed) return present();
  // A million jobs that are gone must not leave a million empty folders.
  fs::path folder = fs::path(key).parent_path();
  while (std::distance(folder.begin(), folder.end()) > kLevelsKept) {
    if (::rmdir((root_ / folder).c_str()) != 0) break;
    folder = folder.parent_path();
  }
  return ok_status();
}

Result<std::unique_ptr<jobs::ObjectWalk>> FileStorage::walk(const std::string& prefix) {
  const std::size_t slash = prefix.rfind('/');
  if (slash != std::string::npos && !is_valid_key(prefix.substr(0, slash))) {
    return failure(FailureKind::kInvalid, "not the beginning of storage keys: " + prefix);
  }
  if (Status there = present(); !there) return there.failure();
  return std::unique_ptr<jobs::ObjectWalk>(std::make_unique<FolderWalk>(root_, prefix));
}

// Of a file that is written now: on a shared volume that is its server's time, not ours.
Result<WallTime> FileStorage::now() {
  const fs::path probe = staging("now");
  if (Status written = write_file_atomically(probe, ""); !written) return written.failure();
  struct stat facts {};
  const int asked = ::stat(probe.c_str(), &facts);
  const int error = errno;
  std::error_code ignored;
  fs::remove(probe, ignored);
  if (asked != 0) return errno_failure(error, "can't read " + probe.string());
  return as_wall_time(facts.st_mtim);
}

Result<int> FileStorage::reclaim_abandoned() { return staging_->remove_dead(); }

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
