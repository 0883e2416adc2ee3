// Images in and out of files, by libvips, HEIC and AVIF by libheif. PNG, JPEG, WebP, HEIC and AVIF
// only, recognised by their bytes; all other loaders are switched off.
//
// Decoding gives sRGB 8-bit straight alpha, upright (EXIF orientation applied, 1-8), whatever the
// file holds: grey, CMYK (embedded profile or a generic one), palette with transparency, 16 bits,
// embedded ICC profiles converted to sRGB. An animation gives its first frame.
//
// Thread rule: any thread. Blocks on decoding. Bounded: pixels are capped before decoding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/media_info.h"

namespace pytoon::media {

inline constexpr int kMaxImageEdgePx = 4096;

// "png", "jpeg", "webp", "heic", "avif", or "" for anything else.
std::string image_format_of(std::string_view first_bytes);
// Of those formats, one that browsers, engines and most programs do not read.
inline bool is_heif(std::string_view format) { return format == "heic" || format == "avif"; }
// The format of a file by its first bytes; kNotFound, kIo.
Result<std::string> image_format_of_file(const std::filesystem::path& path);

// Decodes the whole image to be sure: kUnsupportedType for other bytes, kInvalid for an edge over
// kMaxImageEdgePx, kMalformed for truncated or undecodable data.
Result<MediaInfo> inspect_image(const std::filesystem::path& path);
// The same by the file's head alone, a few milliseconds: nothing says that the rest can be decoded.
// Of a file that was inspected before, or that need not be whole.
Result<MediaInfo> read_image_header(const std::filesystem::path& path);
Result<gpu::RgbaImage> read_image(const std::filesystem::path& path);
Result<std::string> jpeg_of(const gpu::RgbaImage& image, int quality);
Status write_jpeg(const gpu::RgbaImage& image, const std::filesystem::path& path, int quality = 88);
Status write_png(const gpu::RgbaImage& image, const std::filesystem::path& path);

}  // namespace pytoon::media
