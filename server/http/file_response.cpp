#include "server/http/file_response.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "server/http/byte_range.h"

namespace pytoon::http {
namespace {

struct OpenFile {
  FileDescriptor file;
  std::uint64_t size = 0;
};

Result<OpenFile> open_file(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return failure(FailureKind::kNotFound, "The file is gone.");
  if (!file) return errno_failure(errno, "can't open " + path.string());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "can't stat " + path.string());
  if (!S_ISREG(status.st_mode)) return failure(FailureKind::kIo, path.string() + " is not a file");
  return OpenFile{std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

// Only GET has ranges. If-Range takes only a strong match; a date never matches our tags.
bool range_applies(const RequestHead& head, const std::string& etag) {
  if (head.method != Method::kGet) return false;
  const auto if_range = head.header("if-range");
  return !if_range || (*if_range == etag && !etag.starts_with("W/"));
}

}  // namespace

Result<Response> file_response(const RequestHead& head, const jobs::Artifact& artifact) {
  auto opened = open_file(artifact.path);
  if (!opened) return opened.failure();
  Response response;
  response.headers = {
      {"ETag", artifact.etag}, {"Accept-Ranges", "bytes"}, {"Cache-Control", "private, no-cache"}};
  const auto if_none_match = head.header("if-none-match");
  if (if_none_match && etag_listed(*if_none_match, artifact.etag)) {
    response.status = 304;
    return response;
  }
  const auto range = range_applies(head, artifact.etag) ? head.header("range") : std::nullopt;
  const RangeChoice choice = choose_range(range, opened->size);
  const std::string size = std::to_string(opened->size);
  if (choice.outcome == RangeOutcome::kUnsatisfiable) {
    response = problem_response(failure(FailureKind::kRangeNotSatisfiable,
                                        "The file has " + size + " bytes; the range lies beyond."));
    response.headers.push_back({"Content-Range", "bytes */" + size});
    return response;
  }
  const auto [first, length] = choice.range;
  response.headers.push_back({"Content-Type", artifact.content_type});
  if (choice.outcome == RangeOutcome::kPart) {
    response.status = 206;
    response.headers.push_back(
        {"Content-Range",
         "bytes " + std::to_string(first) + "-" + std::to_string(first + length - 1) + "/" + size});
  }
  response.body = FileBody{std::move(opened->file), first, length};
  return response;
}

}  // namespace pytoon::http
