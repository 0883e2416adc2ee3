#include "pipeline/media/clip/frame_converter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pipeline/media/clip/clip_colours.h"
#include "pipeline/media/clip/clip_file.h"

namespace pytoon::media {
namespace {

constexpr int kOne = 1 << 16;

gpu::Size even(gpu::Size size) {
  return {std::max(2, size.width / 2 * 2), std::max(2, size.height / 2 * 2)};
}

AVColorSpace coded_matrix(const AVFrame& frame) {
  return matrix_of(frame.colorspace, {frame.width, frame.height});
}

// Both along the stored axes.
gpu::Size target_size(gpu::Size stored, gpu::Size shown) {
  const bool larger =
      stored.width > kClipStepMax * shown.width || stored.height > kClipStepMax * shown.height;
  return even(larger ? shown : stored);
}

// One side of a conversion.
struct Side {
  int format = AV_PIX_FMT_NONE;
  gpu::Size size;
  AVColorSpace matrix = AVCOL_SPC_BT709;
  bool full_range = false;
  // Of the chroma samples, in 256ths of a luma sample.
  int chroma_x = 0;
  int chroma_y = 128;
};

// Left where nothing is said, as H.264 and HEVC have it.
void read_siting(const AVFrame& frame, Side& side) {
  const AVChromaLocation told = frame.chroma_location;
  const bool centred =
      told == AVCHROMA_LOC_CENTER || told == AVCHROMA_LOC_TOP || told == AVCHROMA_LOC_BOTTOM;
  const bool top = told == AVCHROMA_LOC_TOPLEFT || told == AVCHROMA_LOC_TOP;
  const bool bottom = told == AVCHROMA_LOC_BOTTOMLEFT || told == AVCHROMA_LOC_BOTTOM;
  side.chroma_x = centred ? 128 : 0;
  side.chroma_y = top ? 0 : (bottom ? 256 : 128);
}

int swscale_matrix(AVColorSpace matrix) {
  switch (matrix) {
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
      return SWS_CS_BT2020;
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    default:
      return SWS_CS_ITU709;
  }
}

Result<ScalerPtr> make_scaler(const Side& from, const Side& to) {
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) return failure(FailureKind::kOutOfMemory, "no memory for a colour conversion");
  const std::pair<const char*, int> options[] = {
      {"srcw", from.size.width},
      {"srch", from.size.height},
      {"dstw", to.size.width},
      {"dsth", to.size.height},
      {"src_format", from.format},
      {"dst_format", to.format},
      {"src_h_chr_pos", from.chroma_x},
      {"src_v_chr_pos", from.chroma_y},
      {"dst_h_chr_pos", 0},
      {"dst_v_chr_pos", 128},
      {"sws_flags",
       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT}};
  for (const auto& [name, value] : options) av_opt_set_int(scaler.get(), name, value, 0);
  const int set = sws_setColorspaceDetails(
      scaler.get(), sws_getCoefficients(swscale_matrix(from.matrix)), from.full_range ? 1 : 0,
      sws_getCoefficients(swscale_matrix(to.matrix)), to.full_range ? 1 : 0, 0, kOne, kOne);
  const int rc = sws_init_context(scaler.get(), nullptr, nullptr);
  if (rc < 0 || set < 0) return failure(FailureKind::kMedia, "can't convert the clip's colours");
  return scaler;
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
  Side source{frame.format, stored, coded_matrix(frame), is_full_range(frame)};
  read_siting(frame, source);
  const Side wanted{AV_PIX_FMT_YUV420P, target_size(stored, shown_), AVCOL_SPC_BT709, false};
  const bool as_wanted = source.format == wanted.format && source.size == wanted.size &&
                         !source.full_range && source.matrix == wanted.matrix &&
                         source.chroma_x == wanted.chroma_x && source.chroma_y == wanted.chroma_y;
  if (as_wanted) return ok_status();
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
  if (is_plain(frame.color_primaries, frame.color_trc)) {
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
