#include "server/http/spool_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pytoon::http {
namespace fs = std::filesystem;
namespace {
constexpr std::string_view kSuffix = ".upload";
}

Result<SpoolFile> SpoolFile::create(const fs::path& folder) {
  fs::path path = temporary_beside(folder / kSuffix);
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return errno_failure(errno, "can't create " + path.string());
  return SpoolFile(std::move(path), std::move(file));
}

SpoolFile::~SpoolFile() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      file_(std::move(other.file_)),
      size_(std::exchange(other.size_, 0)) {}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  return *this;
}

Status SpoolFile::append(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_failure(errno, "can't write " + path_.string());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok_status();
}

void SpoolFile::close() { file_ = FileDescriptor(); }

Status clear_spool(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return errno_failure(error.value(), "can't create " + folder.string());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".tmp-") || !name.ends_with(kSuffix)) continue;
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
  if (error) return errno_failure(error.value(), "can't read " + folder.string());
  return ok_status();
}

}  // namespace pytoon::http
