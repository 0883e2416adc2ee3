#include "pipeline/media/gst/mp4_boxes.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "base/files.h"

namespace pytoon::media {
namespace {

struct Box {
  std::string type;
  std::uint64_t bytes = 0;  // header included; 0: up to the end of the file
};

std::optional<std::uint64_t> read_number(std::istream& file, std::size_t size) {
  std::array<char, 8> bytes{};
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  }
  return value;
}

std::optional<Box> read_header(std::istream& file) {
  const auto small = read_number(file, 4);
  Box box{.type = std::string(4, ' ')};
  if (!small || !file.read(box.type.data(), 4)) return std::nullopt;
  const auto size = *small == 1 ? read_number(file, 8) : small;
  if (!size) return std::nullopt;
  box.bytes = *size;
  return box;
}

}  // namespace

Result<bool> moov_comes_first(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_failure(errno, "can't open " + path.string());
  std::uint64_t at = 0;
  bool moov = false;
  while (const auto box = read_header(file)) {
    if (box->type == "mdat") return moov;
    moov = moov || box->type == "moov";
    if (box->bytes < 8) break;
    at += box->bytes;
    file.seekg(static_cast<std::streamoff>(at));
  }
  return false;
}

}  // namespace pytoon::media
