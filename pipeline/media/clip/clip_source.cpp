#include "pipeline/media/clip/clip_source.h"

#include <algorithm>

#include "pipeline/media/clip/colour_scaler.h"
#include "pipeline/media/clip/cutout_converter.h"
#include "pipeline/media/clip/frame_converter.h"
#include "pipeline/media/clip/progressive_decoder.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/image/image_ops.h"

namespace pytoon::media {

struct ClipSource::State {
  State(const Rotation& rotation, gpu::Size shown)
      : converter(rotation, shown), cutouts(rotation) {}

  FrameConverter converter;
  CutoutConverter cutouts;
  bool hardware_wanted = false;
  std::unique_ptr<ProgressiveDecoder> decoder;
  FramePtr held = make_frame();   // the newest frame at or before what was asked for
  FramePtr ahead = make_frame();  // one beyond it, where frames are missing
  bool has_held = false;
  bool has_ahead = false;
  // What was given last.
  std::optional<std::size_t> index;
  gpu::Nv12Frame converted;

  void forget() {
    av_frame_unref(held.get());
    av_frame_unref(ahead.get());
    has_held = false;
    has_ahead = false;
    index.reset();
    converted = {};
  }
};

ClipSource::ClipSource(ClipOrder order)
    : clip_(order.clip),
      order_(std::move(order)),
      state_(std::make_unique<State>(clip_->rotation, order_.shown)) {
  state_->hardware_wanted = order_.cuda.has_value();
}

ClipSource::~ClipSource() = default;

void ClipSource::use_software(const std::string& why) {
  av_log(nullptr, AV_LOG_WARNING, "clip %s is decoded in software: %s\n",
         clip_->path.filename().c_str(), why.c_str());
  state_->hardware_wanted = false;
}

Status ClipSource::open(bool hardware) {
  State& s = *state_;
  s.forget();
  s.decoder.reset();
  BufferPtr device;
  if (hardware) {
    Result<BufferPtr> opened = open_hardware(*order_.cuda);
    if (opened) {
      device = std::move(*opened);
    } else {
      use_software(opened.failure().detail);
    }
  }
  Result<std::unique_ptr<FrameDecoder>> decoder =
      open_frames(*clip_, std::move(device), order_.cancel);
  if (!decoder) return decoder.failure();
  const AVRational tick{static_cast<int>(clip_->times.tick_num),
                        static_cast<int>(clip_->times.tick_den)};
  s.decoder = std::make_unique<ProgressiveDecoder>(std::move(*decoder), tick);
  return ok_status();
}

// Where decoding has to begin for the frame shown at `wanted`: not at all when going on is as good.
Status ClipSource::begin_before(std::int64_t wanted) {
  State& s = *state_;
  const auto later =
      std::partition_point(clip_->key_frames.begin(), clip_->key_frames.end(),
                           [wanted](const KeyFrame& key) { return key.shown <= wanted; });
  const KeyFrame& key = later == clip_->key_frames.begin() ? *later : *(later - 1);
  const std::int64_t at = s.has_held ? s.held->pts : clip_->first_shown;
  const std::int64_t second = clip_->times.tick_den / clip_->times.tick_num;
  const bool back = s.has_held && wanted < s.held->pts;
  const bool far_ahead = key.shown - at > second;
  if (!back && !far_ahead) return ok_status();
  s.forget();
  return s.decoder->seek(key);
}

// Decodes up to the frame shown at `wanted`.
Status ClipSource::advance(std::int64_t wanted) {
  State& s = *state_;
  while (!s.has_held || s.held->pts < wanted) {
    if (!s.has_ahead) {
      const Result<const AVFrame*> next = s.decoder->next();
      if (!next) return next.failure();
      if (*next == nullptr) break;
      if (av_frame_ref(s.ahead.get(), *next) < 0) {
        return failure(FailureKind::kOutOfMemory, "no memory for a frame");
      }
      s.has_ahead = true;
    }
    if (s.has_held && s.ahead->pts > wanted) break;
    av_frame_unref(s.held.get());
    av_frame_move_ref(s.held.get(), s.ahead.get());
    s.has_held = true;
    s.has_ahead = false;
  }
  return s.has_held ? ok_status() : Status(damaged_clip("in its data"));
}

Status ClipSource::reach(std::int64_t wanted) {
  State& s = *state_;
  if (!s.decoder) {
    if (Status opened = open(s.hardware_wanted); !opened) return opened;
  }
  if (Status begun = begin_before(wanted); !begun) return begun;
  if (Status found = advance(wanted); !found) return found;
  if (s.held->pts <= wanted) return ok_status();
  // The demuxer went to a later place than its index told, or the clip begins with frames that
  // can't be decoded. From the start there is no doubt.
  s.forget();
  if (Status begun = s.decoder->seek(clip_->key_frames.front()); !begun) return begun;
  return advance(wanted);
}

Result<gpu::Nv12Frame> ClipSource::frame_of_held() {
  const AVFrame& frame = *state_->held;
  if (frame.format != AV_PIX_FMT_CUDA) return state_->converter.convert(frame);
  const std::shared_ptr<AVFrame> kept(av_frame_clone(&frame), AvDelete());
  if (!kept) return failure(FailureKind::kOutOfMemory, "no memory for a frame");
  return gpu::Nv12Frame{gpu::Memory::kCuda,
                        {kept->width, kept->height},
                        kept->data[0],
                        static_cast<std::size_t>(kept->linesize[0]),
                        kept->data[1],
                        static_cast<std::size_t>(kept->linesize[1]),
                        kept};
}

Result<gpu::Nv12Frame> ClipSource::find(std::size_t index) {
  State& s = *state_;
  if (s.index == index) return s.converted;
  if (s.hardware_wanted && !s.decoder && !clip_->rotation.none()) use_software("it is turned");
  const std::int64_t wanted = clip_->first_shown + clip_->times.starts.at(index);
  Status reached = reach(wanted);
  const bool retry =
      !reached && s.hardware_wanted && reached.failure().kind != FailureKind::kCancelled;
  if (retry) {
    use_software(reached.failure().detail);
    s.decoder.reset();
    reached = reach(wanted);
  }
  Result<gpu::Nv12Frame> converted =
      reached ? frame_of_held() : Result<gpu::Nv12Frame>(reached.failure());
  if (!converted) {
    s.forget();
    s.decoder.reset();  // where it stands is not known: the next call begins anew
    return converted;
  }
  if (s.hardware_wanted && converted->memory == gpu::Memory::kHost) {
    use_software("the card decodes 8-bit 4:2:0 in SDR, BT.709, limited range only");
  }
  s.index = index;
  s.converted = *converted;
  return converted;
}

Result<gpu::Nv12Frame> ClipSource::frame(std::size_t index) {
  return contained([&] { return find(index); });
}

Result<gpu::RgbaImage> ClipSource::cutout(std::size_t index) {
  return contained([&]() -> Result<gpu::RgbaImage> {
    State& s = *state_;
    s.hardware_wanted = false;
    s.index.reset();
    const Status reached = reach(clip_->first_shown + clip_->times.starts.at(index));
    Result<gpu::RgbaImage> image =
        reached ? s.cutouts.convert(*s.held) : Result<gpu::RgbaImage>(reached.failure());
    if (!image) {
      s.forget();
      s.decoder.reset();  // where it stands is not known: the next call begins anew
    }
    return image;
  });
}

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

Result<gpu::RgbaImage> image_of_clip(const std::shared_ptr<const ClipIndex>& clip,
                                     std::size_t frame) {
  return contained([&]() -> Result<gpu::RgbaImage> {
    ClipSource source({clip, clip->upright, std::nullopt, {}});
    if (clip->has_alpha) {
      Result<gpu::RgbaImage> image = source.cutout(frame);
      return !image || image->size == clip->upright ? std::move(image)
                                                    : resize(*image, clip->upright);
    }
    const Result<gpu::Nv12Frame> shown = source.frame(frame);
    if (!shown) return shown.failure();
    return to_rgba(*shown, clip->upright);
  });
}

Result<gpu::RgbaImage> first_frame(const std::shared_ptr<const ClipIndex>& clip) {
  return image_of_clip(clip, 0);
}

}  // namespace pytoon::media
