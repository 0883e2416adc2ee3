// A file opened for reading at any offset. The name /dev/fd/N means what is open already as N, as
// BSD has it: the file system is not asked, so a process without the right to open can read what it
// was handed.
//
// Thread rule: immutable once open; any thread. Blocks on the disk. Errors: errno_failure().
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace pytoon {

class InputFile {
 public:
  static Result<InputFile> open(const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }  // bytes, when it was opened
  // How many bytes came: fewer than asked for at the end of the file, 0 behind it. The failure is
  // errno's value, negative.
  std::int64_t read_at(std::uint64_t offset, std::span<char> into) const;
  // The same as text; fewer bytes also where the disk fails.
  std::string text_at(std::uint64_t offset, std::size_t count) const;

 private:
  InputFile(FileDescriptor file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  FileDescriptor file_;
  std::uint64_t size_;
};

}  // namespace pytoon
