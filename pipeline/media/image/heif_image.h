// HEIC and AVIF stills, by libheif: what phones keep and what sites serve. Inside the room only.
//
// Of a file with several images its primary one; turned upright by the file's own properties, which
// is why EXIF's orientation is not looked at. More than 8 bits a sample become 8.
//
// Thread rule: any thread. Blocks on decoding. Source: ISO/IEC 23008-12, AV1 Image File Format 1.1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pipeline/media/image/colour_tag.h"
#include "pipeline/media/media_info.h"

namespace pytoon::media {

// "heic", "avif", or "" for other bytes: by the brands of the file's first box.
std::string heif_format_of(std::string_view first_bytes);

// Size, upright, and alpha, without decoding pixels. kMalformed, with `broken` as its detail, where
// there is no image.
Result<MediaInfo> read_heif_header(std::string_view bytes, const std::string& broken);

// Decoded whole: 3 bands, or 4 with alpha; an ICC profile goes before code points. kInvalid for an
// edge over kMaxImageEdgePx, and for HDR, which our video can't show; kMalformed for what can't be
// decoded, with `broken` as its detail.
Result<TaggedImage> decode_heif(std::string_view bytes, const std::string& broken);

}  // namespace pytoon::media
