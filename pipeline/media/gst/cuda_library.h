// The few functions of GStreamer's CUDA library that we use, found at run time, with declarations
// of our own: the library's headers want the CUDA toolkit, and linking it would make X11 and OpenGL
// client libraries a condition for every start. Once loaded it stays: GLib types can't be unloaded.
//
// Source: gst-plugins-bad, gst-libs/gst/cuda, 1.22; the same signatures up to 1.26. CUcontext is a
// pointer and CUdevice an int in every version of the driver's API.
#pragma once

#include <gst/video/video.h>

#include "base/result.h"

namespace pytoon::media {

constexpr char kCudaMemoryFeature[] = "memory:CUDAMemory";
// GST_MAP_CUDA: the mapped address is a device pointer, and nothing is copied or waited for. More
// than C++ lets a variable of type GstMapFlags hold.
constexpr int kMapCuda = GST_MAP_FLAG_LAST << 1;
// What our elements can carry; a job then names one of the two.
constexpr char kFrameCaps[] =
    GST_VIDEO_CAPS_MAKE_WITH_FEATURES("memory:CUDAMemory", "NV12") ";" GST_VIDEO_CAPS_MAKE("NV12");

struct CudaLibrary {
  gboolean (*load_driver)() = nullptr;                              // gst_cuda_load_library
  GstObject* (*wrap_context)(void* context, int device) = nullptr;  // gst_cuda_context_new_wrapped
  void (*init_memory)() = nullptr;                                  // gst_cuda_memory_init_once
  GstBufferPool* (*new_pool)(GstObject* context) = nullptr;         // gst_cuda_buffer_pool_new
};

// kUnavailable names the Debian package. Any thread.
Result<CudaLibrary> load_cuda_library();

}  // namespace pytoon::media
