#include "tests/pipeline/decoder/hostile_host_options.h"

#if defined(__SANITIZE_ADDRESS__)
#include <fstream>
#include <string>
#endif

namespace pytoon::media {
namespace {

// This process has what a decoder has of it.
std::uint64_t bytes_of_sanitizer() {
#if defined(__SANITIZE_ADDRESS__)
  static const std::uint64_t bytes = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmData:")) return std::stoull(line.substr(7)) * 1024;
    }
    return 0ULL;
  }();
  return bytes;
#else
  return 0;
#endif
}

}  // namespace

ChildDecoder::Options hostile_host_options() {
  ChildDecoder::Options options;
  options.program = PYTOON_HOSTILE_HOST;
  options.limits.memory_bytes += bytes_of_sanitizer();
  return options;
}

}  // namespace pytoon::media
