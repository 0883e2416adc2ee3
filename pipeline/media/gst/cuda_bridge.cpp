#include "pipeline/media/cuda_bridge.h"

#include <gst/video/video.h>

#include <utility>

#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/ffmpeg_log.h"

// FFmpeg's header takes these two from cuda.h unless CUDA_VERSION is defined; all it needs of them
// is that they are pointers, and the CUDA toolkit is not ours to demand.
using CUcontext = void*;
using CUstream = void*;
#define CUDA_VERSION 0
extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_cuda.h>
}

namespace pytoon::media {
namespace {

Failure unavailable(const std::string& detail) {
  return failure(FailureKind::kUnavailable, detail);
}

Result<BufferRefPtr> lend_to_ffmpeg(void* context) {
  BufferRefPtr device(av_hwdevice_ctx_alloc(AV_HWDEVICE_TYPE_CUDA));
  if (!device) return unavailable("libavutil was built without CUDA");
  auto* shared = reinterpret_cast<AVHWDeviceContext*>(device->data);
  // The stream stays the default one: a compositor's frame is complete when it is handed on.
  static_cast<AVCUDADeviceContext*>(shared->hwctx)->cuda_ctx = context;
  const FfmpegComplaints complaints;
  if (const int rc = av_hwdevice_ctx_init(device.get()); rc < 0) {
    return unavailable("FFmpeg can't use the CUDA device: " + complaints.first());
  }
  return device;
}

Result<std::shared_ptr<CudaBridge>> build(const gpu::CudaHandles& device, int sessions_max) {
  auto parts = std::make_unique<CudaBridge::Parts>();
  Result<CudaLibrary> library = load_cuda_library();
  if (!library) return library.failure();
  parts->library = *library;
  if (parts->library.load_driver() == FALSE) {
    return unavailable("GStreamer can't load the NVIDIA driver (libcuda.so.1)");
  }
  parts->context.reset(parts->library.wrap_context(device.context, device.ordinal));
  if (!parts->context) return unavailable("GStreamer refused the device's CUDA context");
  parts->library.init_memory();
  Result<BufferRefPtr> lent = lend_to_ffmpeg(device.context);
  if (!lent) return lent.failure();
  parts->device = std::move(*lent);
  return std::make_shared<CudaBridge>(std::move(parts), sessions_max);
}

}  // namespace

Result<std::shared_ptr<CudaBridge>> CudaBridge::open(const gpu::CudaHandles& device,
                                                     int sessions_max) {
  return contained([&] { return build(device, sessions_max); });
}

CudaBridge::CudaBridge(std::unique_ptr<Parts> parts, int sessions_max)
    : parts_(std::move(parts)), sessions_(sessions_max) {}

CudaBridge::~CudaBridge() = default;

Result<GstPtr<GstBufferPool>> CudaBridge::Parts::make_pool(GstCaps* caps, guint count) const {
  GstVideoInfo info{};
  if (gst_video_info_from_caps(&info, caps) == FALSE) {
    return failure(FailureKind::kInternal, "a pool needs the caps of a video");
  }
  GstPtr<GstBufferPool> pool(library.new_pool(context.get()));
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps, static_cast<guint>(info.size), count, count);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config(pool.get(), config) == FALSE ||
      gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
    return failure(FailureKind::kOutOfMemory,
                   "no device memory for " + std::to_string(count) + " frames");
  }
  return pool;
}

Result<BufferRefPtr> CudaBridge::Parts::make_frames(const gpu::Size& size) const {
  BufferRefPtr frames(av_hwframe_ctx_alloc(device.get()));
  if (!frames) return failure(FailureKind::kOutOfMemory, "no memory for a frames context");
  auto* shape = reinterpret_cast<AVHWFramesContext*>(frames->data);
  shape->format = AV_PIX_FMT_CUDA;
  shape->sw_format = AV_PIX_FMT_NV12;
  shape->width = size.width;
  shape->height = size.height;
  const FfmpegComplaints complaints;
  if (const int rc = av_hwframe_ctx_init(frames.get()); rc < 0) {
    return failure(FailureKind::kEncoder,
                   "FFmpeg can't describe CUDA frames: " + complaints.first());
  }
  return frames;
}

}  // namespace pytoon::media
