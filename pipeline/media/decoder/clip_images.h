// Single frames of clips as images.
//
// Thread rule: any thread. Blocks on decoding from the key frame before. Errors: ClipPlayer's.
#pragma once

#include <memory>

#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// Upright, with square pixels, and with its alpha.
Result<gpu::RgbaImage> image_of_clip(FileDecoder& decoder,
                                     const std::shared_ptr<const ClipIndex>& clip,
                                     std::size_t frame);

}  // namespace pytoon::media
