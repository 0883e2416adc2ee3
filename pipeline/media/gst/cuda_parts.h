// What a CudaBridge consists of inside this room: GStreamer's and FFmpeg's view of one CUDA
// context.
#pragma once

#include "pipeline/media/cuda_bridge.h"
#include "pipeline/media/gst/cuda_library.h"
#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/gst_pipeline.h"

namespace pytoon::media {

struct CudaBridge::Parts {
  CudaLibrary library;
  GstPtr<GstObject> context;  // GstCudaContext around the device's CUcontext, which it doesn't own
  BufferRefPtr device;        // AVHWDeviceContext, likewise

  // Device memory for `count` NV12 frames of those caps, allocated at once and never more: an
  // encoder remembers addresses, so that a pool must not grow, shrink or go before its encoder.
  // kOutOfMemory when they don't fit.
  Result<GstPtr<GstBufferPool>> make_pool(GstCaps* caps, guint count) const;
  // For AVFrames that point into such memory.
  Result<BufferRefPtr> make_frames(const gpu::Size& size) const;
};

}  // namespace pytoon::media
