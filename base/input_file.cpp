#include "base/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

namespace pytoon {
namespace {

constexpr std::string_view kHanded = "/dev/fd/";

int open_read_only(const std::filesystem::path& path) {
  const std::string& name = path.native();
  if (!name.starts_with(kHanded)) return ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  int handed = -1;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kHanded.size(), end, handed);
  if (error != std::errc() || rest != end) {
    errno = ENOENT;
    return -1;
  }
  return ::fcntl(handed, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  FileDescriptor file(open_read_only(path));
  if (!file) return errno_failure(errno, "can't open " + path.string());
  // Not by fstat, which the C library makes of a call that may name any file.
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return errno_failure(errno, "can't read " + path.string());
  return InputFile(std::move(file), static_cast<std::uint64_t>(end));
}

std::int64_t InputFile::read_at(std::uint64_t offset, std::span<char> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = ::pread(file_.get(), into.data() + done, into.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

std::string InputFile::text_at(std::uint64_t offset, std::size_t count) const {
  std::string text(count, '\0');
  const std::int64_t got = read_at(offset, text);
  text.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  return text;
}

}  // namespace pytoon
