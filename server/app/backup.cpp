#include "server/app/backup.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr const char* kManifest = "manifest.json";
const fs::path kStorage = "storage";

Failure no_copy(const fs::path& path, const std::error_code& error) {
  return errno_failure(error.value(), "can't copy " + path.string());
}

// A hard link where that is possible, else a copy.
std::error_code link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error || error == std::errc::no_such_file_or_directory) return error;
  fs::copy_file(from, to, error);
  return error;
}

// A file that is removed while we look is no part of the backup.
Status copy_one(const fs::path& from, const fs::path& folder, const std::string& path,
                Manifest& manifest) {
  std::error_code error;
  fs::create_directories((folder / path).parent_path(), error);
  if (error) return no_copy(from, error);
  if (fs::is_symlink(fs::symlink_status(from, error))) {
    const fs::path target = fs::read_symlink(from, error);
    if (!error) fs::create_symlink(target, folder / path, error);
    if (error == std::errc::no_such_file_or_directory) return ok_status();
    if (error) return no_copy(from, error);
    manifest.entries.push_back({path, 0, "", target.string()});
    return ok_status();
  }
  error = link_or_copy(from, folder / path);
  if (error == std::errc::no_such_file_or_directory) return ok_status();
  if (error) return no_copy(from, error);
  return add_entry(folder, path, manifest);
}

// A path that stays inside the folder.
bool is_inside(const std::string& path) {
  const fs::path plain(path);
  if (path.empty() || plain.is_absolute()) return false;
  for (const fs::path& part : plain) {
    if (part == "..") return false;
  }
  return true;
}

std::optional<Manifest> manifest_from(const Json& json) {
  if (json.at("format").get<int>() != kFormat) return std::nullopt;
  Manifest manifest{json.at("created_at"), json.at("database"), {}};
  for (const Json& row : json.at("entries")) {
    BackupEntry entry{row.at("path"), row.value("bytes", std::int64_t{0}), row.value("sha256", ""),
                      row.value("link", "")};
    if (!is_inside(entry.path)) return std::nullopt;
    manifest.entries.push_back(std::move(entry));
  }
  return manifest;
}

bool is_storage(const BackupEntry& entry) { return entry.path.starts_with("storage/"); }

Status verify_one(const BackupEntry& entry, const fs::path& folder) {
  const fs::path file = folder / entry.path;
  std::error_code error;
  if (!entry.link.empty()) {
    if (fs::read_symlink(file, error).string() == entry.link) return ok_status();
    return failure(FailureKind::kMalformed, file.string() + " is not the link it was");
  }
  const Result<std::string> sha256 = sha256_file(file);
  if (!sha256) return failure(FailureKind::kMalformed, file.string() + " is missing");
  if (*sha256 == entry.sha256) return ok_status();
  return failure(FailureKind::kMalformed, file.string() + " has other bytes than were backed up");
}

Status put_back_one(const BackupEntry& entry, const fs::path& folder, const fs::path& root) {
  const fs::path to = root / fs::path(entry.path).lexically_relative(kStorage);
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (!error) fs::remove(to, error);
  if (error) return no_copy(to, error);
  if (!entry.link.empty()) {
    fs::create_symlink(entry.link, to, error);
  } else {
    fs::copy_file(folder / entry.path, to, error);
  }
  return error ? Status(no_copy(to, error)) : ok_status();
}

}  // namespace

Status copy_storage(const fs::path& root, const fs::path& folder, Manifest& manifest) {
  std::error_code error;
  fs::recursive_directory_iterator at(root, error);
  if (error == std::errc::no_such_file_or_directory) return ok_status();
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden) at.disable_recursion_pending();
    std::error_code ignored;
    const bool folder_itself = at->symlink_status(ignored).type() == fs::file_type::directory;
    if (hidden || folder_itself) continue;
    const fs::path path = kStorage / at->path().lexically_relative(root);
    if (Status copied = copy_one(at->path(), folder, path.string(), manifest); !copied) {
      return copied;
    }
  }
  return error ? Status(no_copy(root, error)) : ok_status();
}

Status add_entry(const fs::path& folder, const std::string& path, Manifest& manifest) {
  const Result<std::string> sha256 = sha256_file(folder / path);
  if (!sha256) return sha256.failure();
  std::error_code error;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(folder / path, error));
  manifest.entries.push_back({path, bytes, *sha256, ""});
  return ok_status();
}

Status write_manifest(const Manifest& manifest, const fs::path& folder) {
  Json entries = Json::array();
  for (const BackupEntry& entry : manifest.entries) {
    if (entry.link.empty()) {
      entries.push_back({{"path", entry.path}, {"bytes", entry.bytes}, {"sha256", entry.sha256}});
    } else {
      entries.push_back({{"path", entry.path}, {"link", entry.link}});
    }
  }
  const Json json{{"format", kFormat},
                  {"created_at", manifest.created_at},
                  {"database", manifest.database},
                  {"entries", std::move(entries)}};
  return write_file_atomically(folder / kManifest, json_text(json, 1) + "\n");
}

Result<Manifest> read_manifest(const fs::path& folder) {
  const fs::path file = folder / kManifest;
  const Result<std::string> text = read_file(file);
  if (!text) {
    return failure(FailureKind::kNotFound,
                   folder.string() + " is no whole backup: it has no " + std::string(kManifest));
  }
  try {
    const Json json = parse_json<Json>(*text);
    std::optional<Manifest> manifest = manifest_from(json);
    if (manifest) return std::move(*manifest);
  } catch (const Json::exception&) {
    // a field is missing or of another type
  }
  return failure(FailureKind::kMalformed, file.string() + " can't be read");
}

Status verify(const Manifest& manifest, const fs::path& folder) {
  for (const BackupEntry& entry : manifest.entries) {
    if (Status whole = verify_one(entry, folder); !whole) return whole;
  }
  return ok_status();
}

Status put_back_storage(const Manifest& manifest, const fs::path& folder, const fs::path& root) {
  for (const BackupEntry& entry : manifest.entries) {
    if (!is_storage(entry)) continue;
    if (Status put = put_back_one(entry, folder, root); !put) return put;
  }
  return ok_status();
}

}  // namespace pytoon::app
