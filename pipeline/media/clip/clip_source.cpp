#include "pipeline/media/clip/clip_source.h"

#include <algorithm>

#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/cutout_converter.h"
#include "pipeline/media/clip/frame_converter.h"
#include "pipeline/media/clip/progressive_decoder.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {

struct ClipSource::State {
  explicit State(const ClipOrder& order)
      : converter(order.clip->rotation, order.shown,
                  order.memory ? order.memory : std::make_shared<HeapFrames>()),
        cutouts(order.clip->rotation) {}

  FrameConverter converter;
  CutoutConverter cutouts;
  std::unique_ptr<ProgressiveDecoder> decoder;
  FramePtr held = make_frame();   // the newest frame at or before what was asked for
  FramePtr ahead = make_frame();  // one beyond it, where frames are missing
  bool has_held = false;
  bool has_ahead = false;

  void forget() {
    av_frame_unref(held.get());
    av_frame_unref(ahead.get());
    has_held = false;
    has_ahead = false;
  }
};

ClipSource::ClipSource(ClipOrder order, std::optional<gpu::CudaHandles> card)
    : clip_(order.clip),
      order_(std::move(order)),
      card_(card),
      state_(std::make_unique<State>(order_)) {}

ClipSource::~ClipSource() = default;

// Of a decoder that failed it is not known where it stands.
void ClipSource::begin_anew() {
  state_->forget();
  state_->decoder.reset();
}

Status ClipSource::open() {
  State& s = *state_;
  begin_anew();
  BufferPtr device;
  if (card_) {
    if (!clip_->rotation.none()) return failure(FailureKind::kMedia, "it is turned");
    if (clip_->codec != "h264" && clip_->codec != "hevc") {
      return failure(FailureKind::kMedia, "the card decodes H.264 and HEVC only");
    }
    Result<BufferPtr> opened = open_hardware(*card_);
    if (!opened) return opened.failure();
    device = std::move(*opened);
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
    if (Status opened = open(); !opened) return opened;
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
  if (!card_) return state_->converter.convert(frame);
  if (frame.format != AV_PIX_FMT_CUDA) {
    return failure(FailureKind::kMedia, "the card left a frame to software");
  }
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

Result<gpu::Nv12Frame> ClipSource::frame(std::size_t index) {
  return contained([&] {
    const Status reached = reach(clip_->first_shown + clip_->times.starts.at(index));
    Result<gpu::Nv12Frame> shown =
        reached ? frame_of_held() : Result<gpu::Nv12Frame>(reached.failure());
    if (!shown) begin_anew();
    return shown;
  });
}

Result<gpu::RgbaImage> ClipSource::cutout(std::size_t index) {
  return contained([&] {
    const Status reached = reach(clip_->first_shown + clip_->times.starts.at(index));
    Result<gpu::RgbaImage> image = reached ? state_->cutouts.convert(*state_->held)
                                           : Result<gpu::RgbaImage>(reached.failure());
    if (!image) begin_anew();
    return image;
  });
}

}  // namespace pytoon::media
