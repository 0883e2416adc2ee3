#include "pipeline/media/clip/hardware_decoding.h"

#include "pipeline/media/clip/clip_colours.h"

// FFmpeg's header wants the toolkit's cuda.h, which most machines that build this lack; of it only
// these two opaque types are used.
#define CUDA_VERSION 0
using CUcontext = struct CUctx_st*;
using CUstream = struct CUstream_st*;
extern "C" {
#include <libavutil/hwcontext_cuda.h>
}

namespace pytoon::media {
namespace {

AVPixelFormat choose_format(AVCodecContext* codec, const AVPixelFormat* offered) {
  bool on_card = false;
  AVPixelFormat software = AV_PIX_FMT_NONE;
  for (const AVPixelFormat* format = offered; *format != AV_PIX_FMT_NONE; ++format) {
    const AVPixFmtDescriptor* const described = av_pix_fmt_desc_get(*format);
    const bool hardware = (described->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0;
    on_card = on_card || *format == AV_PIX_FMT_CUDA;
    if (!hardware) software = *format;
  }
  // What the stream does not say, the file may.
  auto& track = *static_cast<CardTrack*>(codec->opaque);
  const AVCodecParameters& file = *track.file;
  const auto said = [](auto stream, auto container, auto unsaid) {
    return stream == unsaid ? container : stream;
  };
  const auto matrix = said(codec->colorspace, file.color_space, AVCOL_SPC_UNSPECIFIED);
  const auto range = said(codec->color_range, file.color_range, AVCOL_RANGE_UNSPECIFIED);
  const auto primaries = said(codec->color_primaries, file.color_primaries, AVCOL_PRI_UNSPECIFIED);
  const auto transfer = said(codec->color_trc, file.color_trc, AVCOL_TRC_UNSPECIFIED);
  const auto siting =
      said(codec->chroma_sample_location, file.chroma_location, AVCHROMA_LOC_UNSPECIFIED);
  const bool left = siting == AVCHROMA_LOC_UNSPECIFIED || siting == AVCHROMA_LOC_LEFT;
  const bool as_it_lies = left && software == AV_PIX_FMT_YUV420P && range != AVCOL_RANGE_JPEG &&
                          is_plain(primaries, transfer) &&
                          matrix_of(matrix, {codec->width, codec->height}) == AVCOL_SPC_BT709;
  track.refused = !on_card || !as_it_lies;
  return track.refused ? AV_PIX_FMT_NONE : AV_PIX_FMT_CUDA;
}

}  // namespace

Result<BufferPtr> open_hardware(const gpu::CudaHandles& cuda) {
  BufferPtr device(av_hwdevice_ctx_alloc(AV_HWDEVICE_TYPE_CUDA));
  if (!device) return failure(FailureKind::kMedia, "this FFmpeg is built without CUDA");
  auto* const hardware = reinterpret_cast<AVHWDeviceContext*>(device->data);
  auto* const context = static_cast<AVCUDADeviceContext*>(hardware->hwctx);
  context->cuda_ctx = static_cast<CUcontext>(cuda.context);
  context->stream = nullptr;  // the context's default stream, which others wait for
  if (const int rc = av_hwdevice_ctx_init(device.get()); rc < 0) {
    return av_failure(rc, "the card's decoder can't be used");
  }
  return device;
}

void demand_hardware(AVCodecContext& codec, AVBufferRef* hardware, CardTrack& track) {
  codec.opaque = &track;
  codec.hw_device_ctx = av_buffer_ref(hardware);
  codec.extra_hw_frames = kSurfacesHeld;
  codec.get_format = choose_format;
}

}  // namespace pytoon::media
