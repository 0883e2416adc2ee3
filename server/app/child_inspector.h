// Decodes uploads in a process of their own: what a stranger sends may take a decoder's memory,
// time or life, but never the server's. The child is this program again (`pytoon inspect`), which
// limits itself before it opens the file.
//
// Thread rule: any thread. Blocks until the child answers, or is ended at its deadline; a tenth of
// a second is what a child costs. Errors: those of jobs::MediaInspector; kInvalid when the file
// took more memory or time than any good file needs; kMalformed when its decoder died; kUnavailable
// when no child can be started.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "server/jobs/ports.h"

namespace pytoon::app {

struct ChildLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // the child's own, without shared libraries
  std::chrono::seconds cpu{60};
  std::chrono::milliseconds wall{90'000};
};

class ChildInspector final : public jobs::MediaInspector {
 public:
  explicit ChildInspector(ChildLimits limits = {}, std::string program = "/proc/self/exe")
      : limits_(limits), program_(std::move(program)) {}

  Result<media::MediaInfo> inspect_image(const std::filesystem::path& file) override;
  Result<media::MediaInfo> inspect_clip(const std::filesystem::path& file) override;
  Result<media::MediaInfo> inspect_audio(const std::filesystem::path& file) override;

 private:
  Result<media::MediaInfo> ask(const std::string& kind, const std::filesystem::path& file);

  const ChildLimits limits_;
  const std::string program_;
};

}  // namespace pytoon::app
