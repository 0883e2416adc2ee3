#include "server/io/storage/s3_storage.h"

#include <charconv>

#include "base/hash.h"
#include "server/io/storage/s3_upload.h"
#include "server/io/storage/s3_xml.h"
#include "server/io/storage/storage_key.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kPresignedMax{7 * 24 * 3600};
constexpr std::chrono::seconds kWellFor{1};

// Deletes a half-made download unless it was taken.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) {}
  ~Draft() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

std::int64_t whole_number(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// An answer of S3 names at most list_page objects; what is left of it waits for the next page.
class BucketWalk final : public jobs::ObjectWalk {
 public:
  BucketWalk(S3Client& client, std::string prefix, int list_page)
      : client_(client), prefix_(std::move(prefix)), list_page_(list_page) {}

  Result<std::vector<jobs::StoredObject>> next(std::size_t limit) override {
    while (left_.empty() && !over_) {
      if (Status asked = ask(); !asked) return asked.failure();
    }
    const auto first = left_.end() - static_cast<std::ptrdiff_t>(std::min(limit, left_.size()));
    std::vector<jobs::StoredObject> page(first, left_.end());
    left_.erase(first, left_.end());
    return page;
  }

 private:
  Status ask() {
    NamedValues query{
        {"list-type", "2"}, {"prefix", prefix_}, {"max-keys", std::to_string(list_page_)}};
    if (!token_.empty()) query.emplace_back("continuation-token", token_);
    const Result<HttpAnswer> page = client_.send({.query = query});
    if (!page) return page.failure();
    const Result<pugi::xml_document> document = read_xml(page->body, "ListBucketResult");
    if (!document) return document.failure();
    const pugi::xml_node list = document->document_element();
    for (const pugi::xml_node& entry : list.children("Contents")) {
      const std::string key = entry.child_value("Key");
      const Result<WallTime> changed = xml_time(entry.child_value("LastModified"));
      if (!changed) return changed.failure();
      if (is_valid_key(key)) {
        left_.push_back({key, whole_number(entry.child_value("Size")), *changed});
      }
    }
    token_ = list.child_value("NextContinuationToken");
    over_ = list.child_value("IsTruncated") != std::string_view("true") || token_.empty();
    return ok_status();
  }

  S3Client& client_;
  const std::string prefix_;
  const int list_page_;
  std::vector<jobs::StoredObject> left_;
  std::string token_;
  bool over_ = false;
};

}  // namespace

S3Storage::S3Storage(Opened /*by open()*/, const S3Options& options,
                     std::unique_ptr<StagingArea> staging, std::uintmax_t free_bytes_min,
                     HttpClient& http, Clock& clock)
    : options_(options),
      staging_(std::move(staging)),
      free_bytes_min_(free_bytes_min),
      clock_(clock),
      client_(options_, http, clock),
      cache_(staging_->folder() / "cache", options_.cache_bytes, options_.cache_keeps, clock) {}

Result<std::unique_ptr<S3Storage>> S3Storage::open(const S3Options& options, const fs::path& work,
                                                   std::uintmax_t free_bytes_min, HttpClient& http,
                                                   Clock& clock) {
  auto staging = StagingArea::shared(work);
  if (!staging) return staging.failure();
  return std::make_unique<S3Storage>(Opened{}, options, std::move(staging).value(), free_bytes_min,
                                     http, clock);
}

fs::path S3Storage::staging(const std::string& name) { return staging_->fresh(name); }

Status S3Storage::put(const fs::path& file, const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  const Result<std::string> version = upload(client_, options_, file, key);
  if (!version) return version.failure();
  // Who wrote it often reads it next.
  if (!cache_.keep(key, *version, file)) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  return ok_status();
}

Result<fs::path> S3Storage::local(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  // A download that arrives damaged is tried again, as S3Client does with one that is cut.
  for (int tried = 1;; ++tried) {
    Result<fs::path> path = fetch(key);
    const bool damaged = !path && path.failure().kind == FailureKind::kMalformed;
    if (!damaged || tried >= options_.tries) return path;
  }
}

Result<fs::path> S3Storage::fetch(const std::string& key) {
  const std::optional<CachedObject> cached = cache_.find(key);
  const Draft draft(staging("download"));
  S3Request request{.key = key, .save_to = draft.path(), .transfers = true};
  if (cached) request.headers.emplace_back("if-none-match", cached->version);
  const Result<HttpAnswer> answer = client_.send(request);
  if (!answer) return answer.failure();
  if (answer->status == 304 && cached) return cached->path;
  const Result<std::string> sha256 = sha256_file(draft.path());
  if (!sha256) return sha256.failure();
  // Without the note it is not an upload of ours: then its length is all there is to check.
  const std::string noted = answer->header(kSha256Header);
  const std::string length = answer->header("content-length");
  const bool whole = length.empty() || whole_number(length) == answer->bytes;
  if ((!noted.empty() && noted != *sha256) || !whole) {
    return failure(FailureKind::kMalformed, key + " is not what was stored: its bytes changed");
  }
  const auto path = cache_.keep(key, answer->header("etag"), draft.path());
  if (!path) return failure(FailureKind::kIo, "the copy of " + key + " can't be kept");
  return *path;
}

Result<bool> S3Storage::contains(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  const Result<HttpAnswer> answer = client_.send({.method = "HEAD", .key = key});
  if (answer) return true;
  if (answer.failure().kind == FailureKind::kNotFound) return false;
  return answer.failure();
}

Status S3Storage::link(const std::string& target, const std::string& key) {
  if (Status fine = check_key(target); !fine) return fine;
  if (Status fine = check_key(key); !fine) return fine;
  const std::string source = encoded_path("/" + options_.bucket + "/" + target);
  const Result<HttpAnswer> answer = client_.send({.method = "PUT",
                                                  .key = key,
                                                  .headers = {{"x-amz-copy-source", source}},
                                                  .body = std::string(),
                                                  .transfers = true});
  if (answer) return ok_status();
  if (answer.failure().kind != FailureKind::kNotFound) return answer.failure();
  return failure(FailureKind::kNotFound, "there is no object " + target);
}

Status S3Storage::remove(const std::string& key) {
  if (Status fine = check_key(key); !fine) return fine;
  cache_.drop(key);
  const Result<HttpAnswer> answer = client_.send({.method = "DELETE", .key = key});
  if (answer || answer.failure().kind == FailureKind::kNotFound) return ok_status();
  return answer.failure();
}

Result<std::unique_ptr<jobs::ObjectWalk>> S3Storage::walk(const std::string& prefix) {
  const std::string folder = prefix.substr(0, std::min(prefix.rfind('/'), prefix.size()));
  if (!prefix.empty() && !is_valid_key(folder)) {
    return failure(FailureKind::kInvalid, "not the beginning of storage keys: " + prefix);
  }
  return std::unique_ptr<jobs::ObjectWalk>(
      std::make_unique<BucketWalk>(client_, prefix, options_.list_page));
}

// By the Date of an answer: the objects' LastModified is by the same clock.
Result<WallTime> S3Storage::now() {
  const Result<HttpAnswer> answer =
      client_.send({.query = {{"list-type", "2"}, {"max-keys", "1"}}});
  if (!answer) return answer.failure();
  return http_date(answer->header("date"));
}

Result<std::optional<std::string>> S3Storage::presigned(const std::string& key,
                                                        std::chrono::seconds valid_for) {
  if (Status fine = check_key(key); !fine) return fine.failure();
  if (valid_for < std::chrono::seconds(1) || valid_for > kPresignedMax) {
    return failure(FailureKind::kInvalid, "a URL may be good for a second to seven days");
  }
  return std::optional<std::string>(client_.presigned_url(key, valid_for));
}

Status S3Storage::writable() {
  std::error_code error;
  const fs::space_info space = fs::space(staging_->folder(), error);
  if (error) return failure(FailureKind::kIo, "the staging folder is gone: " + error.message());
  if (space.available < free_bytes_min_) {
    return failure(FailureKind::kStorageFull, "the staging folder has only " +
                                                  std::to_string(space.available >> 20U) +
                                                  " MiB left: make room and try again");
  }
  {
    const std::lock_guard lock(mutex_);
    if (well_at_ && clock_.steady_now() - *well_at_ < kWellFor) return ok_status();
  }
  const Result<HttpAnswer> answer =
      client_.send({.query = {{"list-type", "2"}, {"max-keys", "1"}}});
  if (!answer) return answer.failure();
  const std::lock_guard lock(mutex_);
  well_at_ = clock_.steady_now();
  return ok_status();
}

Result<int> S3Storage::reclaim_abandoned() {
  const Result<WallTime> now = this->now();
  if (!now) return now.failure();
  const Result<int> uploads = abort_abandoned(client_, options_, *now);
  if (!uploads) return uploads;
  const Result<int> folders = staging_->remove_dead();
  if (!folders) return folders;
  return *uploads + *folders;
}

}  // namespace pytoon::io
