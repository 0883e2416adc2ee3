// Decoding by the card's own decoder (NVDEC), in the context of the device that will draw the
// frames. Whatever stands in the way, the codec's software decoder takes over by itself.
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

// Asks for frames in the card's memory before the codec is opened. They come only for 8-bit 4:2:0
// in BT.709 limited range with chroma at the left, which the compositor can sample as it lies.
// file: what the container says of the track; outlives the codec.
void prefer_hardware(AVCodecContext& codec, AVBufferRef* hardware, AVCodecParameters& file);

}  // namespace pytoon::media
