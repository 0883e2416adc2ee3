#include "pipeline/media/audio/audio_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/input_file.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kHeadBytes = 12;
constexpr std::size_t kId3HeaderBytes = 10;
constexpr std::size_t kDocTypeWithin = 64;  // first bytes of a Matroska file, its EBML header

std::string head_at(const InputFile& file, std::uint64_t offset) {
  return file.text_at(offset, kHeadBytes);
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
  if (head.starts_with("FORM") && (inner.starts_with("AIFF") || inner.starts_with("AIFC"))) {
    return {"aiff", "aiff", false};
  }
  if (head.starts_with("caff")) return {"caf", "caf", false};
  if (head.starts_with("\x1A\x45\xDF\xA3")) return {"webm", "matroska", true};
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

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | byte_at(bytes, i);
  return value;
}

// Programs that write a WAV into a pipe don't know yet how much will come: as the size of its data
// they say 0, or one far beyond any file that is taken.
bool has_placeholder_size(const InputFile& file) {
  constexpr std::uint64_t kPlaceholderBytes = 1'000'000'000;
  constexpr int kChunksMax = 100;
  std::uint64_t long_size = 0;  // of RF64
  std::uint64_t at = 12;
  for (int chunks = 0; chunks < kChunksMax; ++chunks) {
    const std::string head = file.text_at(at, 24);
    if (head.size() < 8) return false;
    const std::string_view text(head);
    std::uint64_t size = little_endian(text.substr(4, 4));
    if (text.starts_with("ds64") && head.size() == 24) long_size = little_endian(text.substr(16));
    if (text.starts_with("data")) {
      if (size == 0xFFFFFFFF && long_size != 0) size = long_size;
      return size == 0 || size >= kPlaceholderBytes;
    }
    at += 8 + size + size % 2;
  }
  return false;
}

// Bytes of an MPEG layer III frame, from its head; 0 when it is none. ISO/IEC 11172-3 2.4.2.3 and
// 13818-3; 2.5 is what encoders write for lower rates.
std::size_t mp3_frame_bytes(std::string_view head) {
  constexpr std::array kRates{44'100, 48'000, 32'000};
  constexpr std::array kKbps{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array kLowKbps{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  const int second = byte_at(head, 1);
  const int third = byte_at(head, 2);
  const bool sync = byte_at(head, 0) == 0xff && (second & 0xe0) == 0xe0;
  const int version = second >> 3 & 3;  // 3: 1, 2: 2, 0: 2.5
  const int bitrate = third >> 4;
  const int rate = third >> 2 & 3;
  if (!sync || (second >> 1 & 3) != 1 || version == 1) return 0;
  if (bitrate == 0 || bitrate == 15 || rate == 3) return 0;
  const bool low = version != 3;
  const auto index = static_cast<std::size_t>(bitrate - 1);
  const int kbps = low ? kLowKbps.at(index) : kKbps.at(index);
  const int hz = kRates.at(static_cast<std::size_t>(rate)) >> (low ? (version == 2 ? 1 : 2) : 0);
  const int padding = third >> 1 & 1;
  return static_cast<std::size_t>((low ? 72 : 144) * kbps * 1000 / hz + padding);
}

// Whether three frames follow one another: chance doesn't do that.
bool frames_follow(std::string_view text) {
  for (int i = 0; i < 3; ++i) {
    const std::size_t bytes = mp3_frame_bytes(text);
    if (bytes == 0 || bytes > text.size()) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

// Cut from a longer one, an MP3 begins with zeros, or in the middle of a frame.
bool is_mp3_after_junk(const InputFile& file) {
  constexpr std::size_t kZerosMax = 1 << 20;
  constexpr std::size_t kFrameMax = 2'881;
  std::string text = file.text_at(0, kZerosMax + 5 * kFrameMax);
  const std::string_view all(text);
  const std::size_t zeros = std::min(all.find_first_not_of('\0'), all.size());
  for (std::size_t at = zeros; at < std::min(zeros + kFrameMax, all.size()); ++at) {
    if (frames_follow(all.substr(at))) return true;
  }
  return false;
}

}  // namespace

Result<AudioFormat> audio_format_of(const std::filesystem::path& path) {
  const Result<InputFile> opened = InputFile::open(path);
  if (!opened) return opened.failure();
  const InputFile& file = *opened;
  std::string head = head_at(file, 0);
  if (head.empty()) return failure(FailureKind::kMalformed, "the file is empty");
  const bool id3 = head.starts_with("ID3") && head.size() >= kId3HeaderBytes;
  if (id3) head = head_at(file, id3_bytes(head));
  AudioFormat format = format_of(head, id3);
  if (format.name == "webm" && file.text_at(0, kDocTypeWithin).find("webm") == std::string::npos) {
    format.name = "mka";
  }
  if (format.name == "wav") format.endless = has_placeholder_size(file);
  if (format.name.empty() && is_mp3_after_junk(file)) format = {"mp3", "mp3", true};
  if (format.name.empty()) {
    return failure(
        FailureKind::kUnsupportedType,
        "this is no audio we take: send MP3, WAV, M4A/AAC, FLAC, OGG, AIFF, CAF or WebM");
  }
  return format;
}

}  // namespace pytoon::media
