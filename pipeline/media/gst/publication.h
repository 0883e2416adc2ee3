// A file being written under a temporary name: published whole, or removed when left unpublished.
#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/files.h"

namespace pytoon::media {

class Publication {
 public:
  explicit Publication(std::filesystem::path target)
      : target_(std::move(target)), temporary_(temporary_beside(target_)) {}
  ~Publication() {
    std::error_code ignored;  // gone already when it was published
    std::filesystem::remove(temporary_, ignored);
  }
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }
  Status publish() const { return publish_file(temporary_, target_); }

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
};

}  // namespace pytoon::media
