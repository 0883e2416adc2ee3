// Decodes animated GIF, APNG (FFmpeg's decoders, from memory) and WebP (libwebp's): each frame as
// the whole canvas looks while it is shown, in 8 or 16-bit RGB or grey, with alpha where the ground
// shows through. Key frames: the first alone, so going back decodes from the start.
//
// Thread rule, blocking and errors as FrameDecoder's.
#pragma once

#include "pipeline/media/clip/animation.h"
#include "pipeline/media/clip/frame_decoder.h"

namespace pytoon::media {

Result<std::unique_ptr<FrameDecoder>> open_animation(Animation animation, ClipContainer container,
                                                     CancelToken cancel);

}  // namespace pytoon::media
