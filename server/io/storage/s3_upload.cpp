#include "server/io/storage/s3_upload.h"

#include <array>
#include <fstream>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "server/io/storage/s3_xml.h"
#include "server/io/storage/storage_key.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

// What browsers are told when they fetch an object past our API.
std::string type_of(const std::string& key) {
  constexpr std::array<std::pair<std::string_view, const char*>, 14> kTypes{
      {{".mp4", "video/mp4"},
       {".mov", "video/quicktime"},
       {".webm", "video/webm"},
       {".mkv", "video/x-matroska"},
       {".gif", "image/gif"},
       {".apng", "image/apng"},
       {".jpg", "image/jpeg"},
       {".png", "image/png"},
       {".webp", "image/webp"},
       {".heic", "image/heic"},
       {".avif", "image/avif"},
       {".json", "application/json"},
       {".mp3", "audio/mpeg"},
       {".wav", "audio/wav"}}};
  for (const auto& [ending, type] : kTypes) {
    if (key.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

// An upload that is under way: taken back unless it was completed.
class PartUpload {
 public:
  PartUpload(S3Client& client, std::string key, std::string id)
      : client_(client), key_(std::move(key)), id_(std::move(id)) {}
  ~PartUpload() {
    if (completed_) return;
    const auto ignored =
        client_.send({.method = "DELETE", .key = key_, .query = {{"uploadId", id_}}});
    static_cast<void>(ignored);  // abort_abandoned() finds it later
  }
  PartUpload(const PartUpload&) = delete;
  PartUpload& operator=(const PartUpload&) = delete;

  Status add(std::string bytes) {
    const std::string number = std::to_string(++count_);
    const auto answer = client_.send({.method = "PUT",
                                      .key = key_,
                                      .query = {{"partNumber", number}, {"uploadId", id_}},
                                      .headers = {{"content-type", "application/octet-stream"}},
                                      .body = std::move(bytes),
                                      .transfers = true});
    if (!answer) return answer.failure();
    parts_ += "<Part><PartNumber>" + number + "</PartNumber><ETag>" + answer->header("etag") +
              "</ETag></Part>";
    return ok_status();
  }

  Result<HttpAnswer> complete() {
    Result<HttpAnswer> answer =
        client_.send({.method = "POST",
                      .key = key_,
                      .query = {{"uploadId", id_}},
                      .headers = {{"content-type", "application/xml"}},
                      .body = "<CompleteMultipartUpload>" + parts_ + "</CompleteMultipartUpload>",
                      .transfers = true});
    completed_ = answer.ok();
    return answer;
  }
  void was_completed() { completed_ = true; }

 private:
  S3Client& client_;
  const std::string key_;
  const std::string id_;
  std::string parts_;
  int count_ = 0;
  bool completed_ = false;
};

Status send_parts(const fs::path& file, std::int64_t part_bytes, PartUpload& upload) {
  std::ifstream source(file, std::ios::binary);
  if (!source) return errno_failure(errno, "can't open " + file.string());
  for (;;) {
    std::string bytes(static_cast<std::size_t>(part_bytes), '\0');
    source.read(bytes.data(), part_bytes);
    bytes.resize(static_cast<std::size_t>(source.gcount()));
    if (source.bad()) return failure(FailureKind::kIo, "can't read " + file.string());
    if (bytes.empty()) return ok_status();
    if (Status added = upload.add(std::move(bytes)); !added) return added;
  }
}

Result<std::string> etag_of(const std::string& body) {
  const auto document = read_xml(body, "CompleteMultipartUploadResult");
  if (!document) return document.failure();
  return std::string(document->document_element().child_value("ETag"));
}

Result<std::string> upload_in_parts(S3Client& client, const S3Options& options,
                                    const fs::path& file, const std::string& key,
                                    const NamedValues& headers, const std::string& sha256) {
  const auto begun = client.send({.method = "POST",
                                  .key = key,
                                  .query = {{"uploads", ""}},
                                  .headers = headers,
                                  .body = std::string()});
  if (!begun) return begun.failure();
  const auto named = read_xml(begun->body, "InitiateMultipartUploadResult");
  if (!named) return named.failure();
  const std::string id = named->document_element().child_value("UploadId");
  if (id.empty()) return failure(FailureKind::kIo, "S3 begins an upload without naming it");
  PartUpload parts(client, key, id);
  if (Status sent = send_parts(file, options.part_bytes, parts); !sent) return sent.failure();
  const auto completed = parts.complete();
  if (completed) return etag_of(completed->body);
  // The answer to a first try may have been lost: then the upload is gone and the object is there.
  if (completed.failure().kind != FailureKind::kNotFound) return completed.failure();
  const auto there = client.send({.method = "HEAD", .key = key});
  if (!there || there->header(kSha256Header) != sha256) return completed.failure();
  parts.was_completed();
  return there->header("etag");
}

}  // namespace

Result<std::string> upload(S3Client& client, const S3Options& options, const fs::path& file,
                           const std::string& key) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error) return errno_failure(error.value(), "can't read " + file.string());
  const Result<std::string> sha256 = sha256_file(file);
  if (!sha256) return sha256.failure();
  const NamedValues headers{{"content-type", type_of(key)}, {kSha256Header, *sha256}};
  if (static_cast<std::int64_t>(bytes) > options.part_bytes) {
    return upload_in_parts(client, options, file, key, headers, *sha256);
  }
  const auto answer = client.send({.method = "PUT",
                                   .key = key,
                                   .headers = headers,
                                   .body = file,
                                   .body_sha256 = *sha256,
                                   .transfers = true});
  if (!answer) return answer.failure();
  return answer->header("etag");
}

Result<int> abort_abandoned(S3Client& client, const S3Options& options, WallTime now) {
  int aborted = 0;
  NamedValues from{{"uploads", ""}};
  for (;;) {
    const auto page = client.send({.query = from});
    if (!page) return page.failure();
    const auto document = read_xml(page->body, "ListMultipartUploadsResult");
    if (!document) return document.failure();
    const pugi::xml_node list = document->document_element();
    for (const pugi::xml_node& entry : list.children("Upload")) {
      const std::string key = entry.child_value("Key");
      const std::string id = entry.child_value("UploadId");
      const Result<WallTime> begun = xml_time(entry.child_value("Initiated"));
      if (!begun) return begun.failure();
      if (!is_valid_key(key) || now - *begun < options.abandoned_after) continue;
      const auto gone = client.send({.method = "DELETE", .key = key, .query = {{"uploadId", id}}});
      if (!gone && gone.failure().kind != FailureKind::kNotFound) return gone.failure();
      ++aborted;
    }
    if (list.child_value("IsTruncated") != std::string_view("true")) return aborted;
    from = {{"uploads", ""},
            {"key-marker", list.child_value("NextKeyMarker")},
            {"upload-id-marker", list.child_value("NextUploadIdMarker")}};
  }
}

}  // namespace pytoon::io
