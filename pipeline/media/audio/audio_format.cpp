#include "pipeline/media/audio/audio_format.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "base/files.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kHeadBytes = 12;
constexpr std::size_t kId3HeaderBytes = 10;

std::string head_at(std::ifstream& file, std::uint64_t offset) {
  std::string head(kHeadBytes, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

std::uint8_t byte_at(std::string_view head, std::size_t at) {
  return at < head.size() ? static_cast<std::uint8_t>(head[at]) : std::uint8_t{0};
}

// Four times seven bits. The footer flag (0x10) adds a copy of the header at the end.
std::uint64_t id3_bytes(std::string_view head) {
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < kId3HeaderBytes; ++i) size = size << 7 | (byte_at(head, i) & 0x7f);
  const bool footer = (byte_at(head, 5) & 0x10) != 0;
  return kId3HeaderBytes + size + (footer ? kId3HeaderBytes : 0);
}

AudioFormat format_of(std::string_view head, bool behind_id3) {
  const std::string_view inner = head.size() > 8 ? head.substr(8) : std::string_view();
  if ((head.starts_with("RIFF") || head.starts_with("RF64")) && inner.starts_with("WAVE")) {
    return {"wav", "wav", false};
  }
  if (head.starts_with("fLaC")) return {"flac", "flac", false};
  if (head.starts_with("OggS")) return {"ogg", "ogg", true};
  if (head.size() > 8 && head.substr(4).starts_with("ftyp")) return {"m4a", "mov", false};
  const bool sync = byte_at(head, 0) == 0xff && (byte_at(head, 1) & 0xe0) == 0xe0;
  const int layer = byte_at(head, 1) >> 1 & 3;  // 1 is layer III; 0 is reserved: ADTS
  if (sync && layer == 0 && (byte_at(head, 1) & 0x10) != 0) return {"aac", "aac", true};
  if (sync && layer == 1) return {"mp3", "mp3", true};
  if (behind_id3) return {"mp3", "mp3", true};  // some tags say a wrong size
  return {};
}

}  // namespace

Result<AudioFormat> audio_format_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_failure(errno, "can't open " + path.string());
  std::string head = head_at(file, 0);
  if (head.empty()) return failure(FailureKind::kMalformed, "the file is empty");
  const bool id3 = head.starts_with("ID3") && head.size() >= kId3HeaderBytes;
  if (id3) head = head_at(file, id3_bytes(head));
  AudioFormat format = format_of(head, id3);
  if (format.name.empty()) {
    return failure(FailureKind::kUnsupportedType,
                   "this is no audio we take: send MP3, WAV, M4A/AAC, FLAC or OGG");
  }
  return format;
}

}  // namespace pytoon::media
