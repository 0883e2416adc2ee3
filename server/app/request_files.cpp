#include "server/app/request_files.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/parallel.h"
#include "pipeline/spec/job_request.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kAtOnce = 4;  // files; each waits for a decoder, or for a server

Result<json> read_request(const fs::path& file) {
  Result<std::string> text = read_file(file);
  if (!text) return text.failure();
  json body = parse_json<json>(*text);
  if (body.is_discarded() || !body.is_object()) {
    return failure(FailureKind::kMalformed, file.string() + " is not a JSON object");
  }
  return body;
}

// A value of the request that names a file.
struct NamedFile {
  json* value;
  std::string category;
};

void add_file(json& value, const char* category, std::vector<NamedFile>& files) {
  if (!value.is_string()) return;  // the request's own check names it
  if (!spec::is_storage_uri(value.get<std::string>())) files.push_back({&value, category});
}

std::vector<NamedFile> files_of(json& body) {
  std::vector<NamedFile> files;
  for (const auto& [field, category] : {std::pair{"image_uris", "image"}, {"clip_uris", "video"}}) {
    const auto list = body.find(field);
    if (list == body.end() || !list->is_array()) continue;
    for (json& file : *list) add_file(file, category, files);
  }
  const std::pair<const char*, const char*> single[] = {
      {"mask_uri", "mask"}, {"music_uri", "audio"}, {"voice_uri", "audio"}};
  for (const auto& [field, category] : single) {
    if (const auto named = body.find(field); named != body.end()) {
      add_file(*named, category, files);
    }
  }
  return files;
}

Status take_one(const fs::path& folder, const TakeFile& take, const NamedFile& file) {
  const fs::path path = folder / file.value->get<std::string>();
  Result<std::string> uri = take(path, file.category);
  if (!uri) {
    Failure fault = uri.failure();
    fault.detail = path.string() + ": " + fault.detail;
    return fault;
  }
  *file.value = *uri;
  return ok_status();
}

// The first that could not be taken, in the request's order.
Status take_all(const fs::path& folder, const TakeFile& take, const std::vector<NamedFile>& files) {
  std::vector<Status> taken(files.size(), ok_status());
  in_parallel(static_cast<int>(files.size()), kAtOnce, [&](int index) {
    const auto i = static_cast<std::size_t>(index);
    taken[i] = take_one(folder, take, files[i]);
  });
  for (Status& status : taken) {
    if (!status) return status;
  }
  return ok_status();
}

}  // namespace

Result<json> read_request_with_files(const fs::path& file, const TakeFile& take) {
  Result<json> body = read_request(file);
  if (!body) return body;
  const Status taken = take_all(file.parent_path(), take, files_of(*body));
  if (!taken) return taken.failure();
  return body;
}

}  // namespace pytoon::app
