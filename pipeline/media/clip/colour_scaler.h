// libswscale, told all that it would otherwise guess: matrix, range and where chroma samples lie.
// Plain colours only (clip_colours.h).
//
// Thread rule: pure; a scaler is for one thread at a time. Source of the sitings: ITU-T H.273
// figure 3 (chroma sample location types).
#pragma once

#include "gpu/image.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

// One side of a conversion.
struct ScalerSide {
  int format = AV_PIX_FMT_NONE;  // AVPixelFormat
  gpu::Size size;
  AVColorSpace matrix = AVCOL_SPC_BT709;
  bool full_range = false;
  // Of the chroma samples, in 256ths of a luma sample from the first one's centre.
  int chroma_x = 0;
  int chroma_y = 128;

  bool operator==(const ScalerSide&) const = default;
};

// A decoder's frame, of which a part from its top left is used.
ScalerSide side_of(const AVFrame& frame, gpu::Size used);
// kOutOfMemory, kMedia.
Result<ScalerPtr> make_scaler(const ScalerSide& from, const ScalerSide& to);

}  // namespace pytoon::media
