// A file with given bytes that no disk sees, for parsers that want a path.
//
// Thread rule: one thread.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/files.h"

namespace pytoon::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    CHECK(descriptor_.get() >= 0, "no memory file");
    CHECK(::write(descriptor_.get(), bytes.data(), bytes.size()) ==
              static_cast<ssize_t>(bytes.size()),
          "no room in memory");
  }
  std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_.get());
  }

 private:
  const FileDescriptor descriptor_;
};

}  // namespace pytoon::fuzz
