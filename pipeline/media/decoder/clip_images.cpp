#include "pipeline/media/decoder/clip_images.h"

#include "pipeline/media/clip/colour_scaler.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/image/image_ops.h"

namespace pytoon::media {
namespace {

Result<gpu::RgbaImage> to_rgba(const gpu::Nv12Frame& frame, gpu::Size size) {
  const Result<ScalerPtr> made = make_scaler({AV_PIX_FMT_NV12, frame.size},
                                             {AV_PIX_FMT_RGBA, size, AVCOL_SPC_BT709, true, 0, 0});
  if (!made) return made.failure();
  const ScalerPtr& scaler = *made;
  gpu::RgbaImage image(size, {0, 0, 0, 255});
  const std::uint8_t* const planes[] = {frame.luma, frame.chroma, nullptr, nullptr};
  const int pitches[] = {static_cast<int>(frame.luma_pitch_bytes),
                         static_cast<int>(frame.chroma_pitch_bytes), 0, 0};
  std::uint8_t* const rows[] = {image.pixels.data(), nullptr, nullptr, nullptr};
  const int pitch[] = {size.width * 4, 0, 0, 0};
  const int rc = sws_scale(scaler.get(), planes, pitches, 0, frame.size.height, rows, pitch);
  if (rc < 0) return av_failure(rc, "can't convert the clip's colours");
  return image;
}

}  // namespace

Result<gpu::RgbaImage> image_of_clip(FileDecoder& decoder,
                                     const std::shared_ptr<const ClipIndex>& clip,
                                     std::size_t frame) {
  return contained([&]() -> Result<gpu::RgbaImage> {
    const std::unique_ptr<ClipPlayer> player = decoder.open_clip({clip, clip->upright, {}});
    if (clip->has_alpha) {
      Result<gpu::RgbaImage> image = player->cutout(frame);
      return !image || image->size == clip->upright ? std::move(image)
                                                    : resize(*image, clip->upright);
    }
    const Result<gpu::Nv12Frame> shown = player->frame(frame);
    if (!shown) return shown.failure();
    return to_rgba(*shown, clip->upright);
  });
}

}  // namespace pytoon::media
