#include "server/app/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace pytoon::app {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPrefix = ".work-";

// Of the folder itself; nothing when somebody else holds it.
FileDescriptor locked(const fs::path& folder) {
  FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor && ::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return descriptor;
}

// What processes that were killed left behind.
void remove_abandoned(const fs::path& place) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(place, ignored)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    if (locked(entry.path())) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

Result<std::unique_ptr<WorkFolder>> WorkFolder::make(const fs::path& place) {
  std::error_code error;
  fs::create_directories(place, error);
  if (error) return errno_failure(error.value(), "can't make the folder " + place.string());
  remove_abandoned(place);
  // Another process may take a new folder for an abandoned one before it is locked: then once more.
  for (int tries = 0; tries < 10; ++tries) {
    std::string path = (place / (std::string(kPrefix) + "XXXXXX")).string();
    if (::mkdtemp(path.data()) == nullptr) {
      return errno_failure(errno, "can't make a folder in " + place.string());
    }
    FileDescriptor lock = locked(path);
    if (lock && fs::exists(path, error)) {
      return std::unique_ptr<WorkFolder>(new WorkFolder(path, std::move(lock)));
    }
  }
  return failure(FailureKind::kIo, "can't hold a folder in " + place.string());
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace pytoon::app
