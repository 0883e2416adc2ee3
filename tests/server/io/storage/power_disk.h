// A Disk whose power can go: what was not synced by then is lost, as the strictest file system
// would. Renames live in the folder's entries, which only sync_folder() keeps.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "server/io/storage/disk.h"

namespace pytoon::io {

class PowerDisk final : public Disk {
 public:
  bool forgets = false;  // says that it synced, and did not
  int steps_left = -1;   // the power goes after so many steps; -1: it stays

  Status sync_file(const std::filesystem::path& path) override {
    if (!step()) return dark();
    if (!forgets) synced_.insert(path);
    return ok_status();
  }
  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (!step()) return dark();
    std::optional<std::string> old;
    if (const auto text = read_file(to)) old = *text;
    const bool whole = synced_.contains(from) || std::filesystem::is_symlink(from);
    renames_.push_back({to, old, whole});
    std::filesystem::rename(from, to);
    return ok_status();
  }
  Status sync_folder(const std::filesystem::path& path) override {
    if (!step()) return dark();
    if (forgets) return ok_status();
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      entries_[path].insert(entry.path().filename().string());
    }
    std::erase_if(renames_, [&](const Rename& rename) {
      const bool kept = rename.to.parent_path() == path;
      if (kept && !rename.whole) torn_.insert(rename.to);
      return kept;
    });
    return ok_status();
  }

  // Brings the disk to what would be found after the power came back.
  void lose_power(const std::filesystem::path& root) {
    for (auto rename = renames_.rbegin(); rename != renames_.rend(); ++rename) {
      std::filesystem::remove(rename->to);
      if (!rename->old) continue;
      EXPECT_TRUE(write_file_atomically(rename->to, *rename->old));
    }
    for (const auto& path : torn_) {
      std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    }
    std::vector<std::filesystem::path> lost;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const bool hidden = entry.path().lexically_relative(root).string().starts_with('.');
      const auto& known = entries_[entry.path().parent_path()];
      const bool kept = known.contains(entry.path().filename().string());
      if (entry.is_directory() && !hidden && !kept) lost.push_back(entry.path());
    }
    for (const auto& path : lost) std::filesystem::remove_all(path);
  }

 private:
  struct Rename {
    std::filesystem::path to;
    std::optional<std::string> old;
    bool whole;
  };
  bool step() { return steps_left < 0 || steps_left-- > 0; }
  static Status dark() { return failure(FailureKind::kIo, "the power went"); }

  std::set<std::filesystem::path> synced_;
  std::vector<Rename> renames_;  // that a folder does not keep yet
  std::set<std::filesystem::path> torn_;
  std::map<std::filesystem::path, std::set<std::string>> entries_;
};

}  // namespace pytoon::io
