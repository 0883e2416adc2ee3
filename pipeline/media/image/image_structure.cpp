#include "pipeline/media/image/image_structure.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pytoon::media {
namespace {

constexpr std::size_t kPngSignatureBytes = 8;
constexpr std::size_t kPngChunkFrameBytes = 12;  // length, type, checksum

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

// Where the entropy-coded data that begins at `at` ends: at the next marker that is neither a
// stuffed byte nor a restart.
std::size_t end_of_scan(std::string_view jpeg, std::size_t at) {
  for (at = jpeg.find('\xff', at); at != std::string_view::npos; at = jpeg.find('\xff', at + 1)) {
    const unsigned next = byte_at(jpeg, at + 1);
    const bool data = next == 0 || next == 0xff || (next >= 0xd0 && next <= 0xd7);
    if (!data) return at;
  }
  return jpeg.size();
}

}  // namespace

JpegStructure read_jpeg_structure(std::string_view jpeg) {
  constexpr unsigned kEndOfImage = 0xd9;
  constexpr unsigned kStartOfScan = 0xda;
  JpegStructure found;
  for (std::size_t at = 2; at + 1 < jpeg.size();) {
    if (byte_at(jpeg, at) != 0xff) return found;
    const unsigned marker = byte_at(jpeg, at + 1);
    if (marker == 0xff) {  // fill
      ++at;
      continue;
    }
    if (marker == kEndOfImage) {
      found.ends = true;
      return found;
    }
    at += 2 + number_at(jpeg, at + 2, 2);
    if (marker != kStartOfScan) continue;
    ++found.scans;
    at = end_of_scan(jpeg, at);
  }
  return found;
}

std::string_view png_chunk(std::string_view png, std::string_view type) {
  for (std::size_t at = kPngSignatureBytes; at + kPngChunkFrameBytes <= png.size();) {
    const std::size_t bytes = kPngChunkFrameBytes + number_at(png, at, 4);
    if (bytes > png.size() - at) return {};
    const std::string_view found = png.substr(at + 4, 4);
    if (found == type) return png.substr(at + 8, bytes - kPngChunkFrameBytes);
    if (found == "IDAT") return {};
    at += bytes;
  }
  return {};
}

void move_exif_before_pixels(std::string& png) {
  std::size_t pixels = 0;
  for (std::size_t at = kPngSignatureBytes; at + kPngChunkFrameBytes <= png.size();) {
    const std::size_t bytes = kPngChunkFrameBytes + number_at(png, at, 4);
    if (bytes > png.size() - at) return;
    const std::string_view type = std::string_view(png).substr(at + 4, 4);
    if (type == "IDAT" && pixels == 0) pixels = at;
    if (type == "eXIf" && pixels != 0) {
      const std::string exif = png.substr(at, bytes);
      png.erase(at, bytes);
      png.insert(pixels, exif);
      return;
    }
    if (type == "eXIf") return;
    at += bytes;
  }
}

void drop_text(std::string& png) {
  std::size_t kept = kPngSignatureBytes;
  std::size_t at = kPngSignatureBytes;
  while (at + kPngChunkFrameBytes <= png.size()) {
    const std::size_t bytes = kPngChunkFrameBytes + number_at(png, at, 4);
    if (bytes > png.size() - at) break;
    const std::string_view type = std::string_view(png).substr(at + 4, 4);
    const bool text = type == "tEXt" || type == "zTXt" || type == "iTXt";
    if (!text) {
      std::memmove(png.data() + kept, png.data() + at, bytes);
      kept += bytes;
    }
    at += bytes;
  }
  if (at > kept) png.erase(kept, at - kept);
}

}  // namespace pytoon::media
