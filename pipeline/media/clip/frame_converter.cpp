#include "pipeline/media/clip/frame_converter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pipeline/media/clip/clip_colours.h"
#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/colour_scaler.h"

namespace pytoon::media {
namespace {

gpu::Size even(gpu::Size size) {
  return {std::max(2, size.width / 2 * 2), std::max(2, size.height / 2 * 2)};
}

// Both along the stored axes.
gpu::Size target_size(gpu::Size stored, gpu::Size shown) {
  const bool larger =
      stored.width > kClipStepMax * shown.width || stored.height > kClipStepMax * shown.height;
  return even(larger ? shown : stored);
}

// libswscale copies planes of 4:2:0 to such planes, wherever their chroma lies.
bool has_to_move(const ScalerSide& from) {
  const AVPixFmtDescriptor* const format =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(from.format));
  const bool copied = format->log2_chroma_w == 1 && format->log2_chroma_h == 1;
  const ScalerSide wanted;
  return copied && (from.chroma_x != wanted.chroma_x || from.chroma_y != wanted.chroma_y);
}

}  // namespace

FrameConverter::FrameConverter(const Rotation& rotation, gpu::Size shown,
                               std::shared_ptr<FrameMemory> memory)
    : rotation_(rotation), shown_(rotated(shown, rotation)), memory_(std::move(memory)) {}

gpu::Size converted_size(gpu::Size stored, const Rotation& rotation, gpu::Size shown) {
  return rotated(target_size(even(stored), rotated(shown, rotation)), rotation);
}

bool FrameConverter::prepared_for(const AVFrame& frame) const {
  return kind_->width == frame.width && kind_->height == frame.height &&
         kind_->format == frame.format && kind_->colorspace == frame.colorspace &&
         kind_->color_range == frame.color_range &&
         kind_->color_primaries == frame.color_primaries && kind_->color_trc == frame.color_trc &&
         kind_->chroma_location == frame.chroma_location;
}

Status FrameConverter::prepare_scaler(const AVFrame& frame, gpu::Size stored) {
  const ScalerSide source = side_of(frame, stored);
  const ScalerSide wanted{AV_PIX_FMT_YUV420P, target_size(stored, shown_)};
  if (source == wanted) return ok_status();
  Result<ScalerPtr> scaler = make_scaler(source, wanted);
  if (!scaler) return scaler.failure();
  av_frame_unref(scaled_.get());
  scaled_->format = wanted.format;
  scaled_->width = wanted.size.width;
  scaled_->height = wanted.size.height;
  if (const int rc = av_frame_get_buffer(scaled_.get(), 0); rc < 0) {
    return av_failure(rc, "no memory for a frame");
  }
  scaler_ = std::move(*scaler);
  return ok_status();
}

Status FrameConverter::prepare(const AVFrame& frame) {
  const gpu::Size stored = even({frame.width, frame.height});
  scaler_.reset();
  colours_.reset();
  if (is_plain(frame.color_primaries, frame.color_trc) && !has_to_move(side_of(frame, stored))) {
    if (Status ready = prepare_scaler(frame, stored); !ready) return ready;
  } else {
    auto made = FrameFilter::make(frame, {1, 1},
                                  conversion_chain(frame, stored, target_size(stored, shown_)));
    if (!made) return made.failure();
    colours_ = std::move(*made);
  }
  kind_->width = frame.width;
  kind_->height = frame.height;
  kind_->format = frame.format;
  kind_->colorspace = frame.colorspace;
  kind_->color_range = frame.color_range;
  kind_->color_primaries = frame.color_primaries;
  kind_->color_trc = frame.color_trc;
  kind_->chroma_location = frame.chroma_location;
  return ok_status();
}

// 8-bit 4:2:0 BT.709 limited range, as it lies: valid until the next call.
Result<const AVFrame*> FrameConverter::planar(const AVFrame& frame) {
  if (colours_) {
    if (Status pushed = colours_->push(&frame); !pushed) return pushed.failure();
    const Result<const AVFrame*> converted = colours_->pull();
    if (converted && *converted == nullptr) {
      return failure(FailureKind::kMedia, "can't convert the clip's colours");
    }
    return converted;
  }
  if (!scaler_) return &frame;
  const int rc =
      sws_scale(scaler_.get(), frame.data, frame.linesize, 0,
                even({frame.width, frame.height}).height, scaled_->data, scaled_->linesize);
  if (rc < 0) return av_failure(rc, "can't convert the clip's colours");
  return scaled_.get();
}

Result<gpu::Nv12Frame> FrameConverter::convert(const AVFrame& frame) {
  if (!prepared_for(frame)) {
    if (Status ready = prepare(frame); !ready) return ready.failure();
  }
  const Result<const AVFrame*> flat = planar(frame);
  if (!flat) return flat.failure();
  const gpu::Size stored = even({(*flat)->width, (*flat)->height});
  PlanarView view{stored, {}, {}};
  for (std::size_t i = 0; i < 3; ++i) {
    view.planes[i] = (*flat)->data[i];
    view.pitch_bytes[i] = static_cast<std::size_t>((*flat)->linesize[i]);
  }
  const gpu::Size size = rotated(stored, rotation_);
  const std::shared_ptr<std::uint8_t> buffer = memory_->take(nv12_bytes(size));
  if (!buffer) return damaged_clip("in its data: its frames are larger than its index says");
  const auto pitch = static_cast<std::size_t>(size.width);
  std::uint8_t* const luma = buffer.get();
  std::uint8_t* const chroma = luma + pitch * static_cast<std::size_t>(size.height);
  rotate_upright(view, rotation_, {size, luma, pitch, chroma, pitch});
  return gpu::Nv12Frame{gpu::Memory::kHost, size, luma, pitch, chroma, pitch, buffer};
}

}  // namespace pytoon::media
