// Decoding by the card's own decoder (NVDEC), in the context of the device that will draw the
// frames. What it can't decode is refused: software decoding is nothing for this process.
//
// Thread rule: the codec's.
#pragma once

#include "gpu/device.h"
#include "pipeline/media/clip/frame_size.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

struct UnrefBuffer {
  void operator()(AVBufferRef* buffer) const { av_buffer_unref(&buffer); }
};
using BufferPtr = std::unique_ptr<AVBufferRef, UnrefBuffer>;

// FFmpeg's view of the device's context. kMedia with the reason, such as a missing driver.
Result<BufferPtr> open_hardware(const gpu::CudaHandles& cuda);

// What is known of a track before its first frame, and what came of asking for the card.
struct CardTrack {
  const AVCodecParameters* file = nullptr;  // what the container says of it
  bool refused = false;  // its frames are not as the compositor could sample them where they lie
};

// Asks for frames in the card's memory, and for no others, before the codec is opened. They come
// only for 8-bit 4:2:0 in BT.709 limited range with chroma at the left. track outlives the codec.
void demand_hardware(AVCodecContext& codec, AVBufferRef* hardware, CardTrack& track);

}  // namespace pytoon::media
