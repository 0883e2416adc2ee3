#include "pipeline/media/clip/animation_decoder.h"

#include <cstring>

#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/webp_canvas.h"

namespace pytoon::media {
namespace {

class AnimationDecoder : public FrameDecoder {
 public:
  AnimationDecoder(Animation animation, CancelToken cancel)
      : animation_(std::move(animation)), cancel_(std::move(cancel)) {}

  Status seek(const KeyFrame&) override {
    index_ = 0;
    return restart();
  }

  void skip_to_key_frames() override {}

  Result<const AVFrame*> next() override {
    if (cancel_.cancelled()) return failure(FailureKind::kCancelled, "decoding was cancelled");
    if (index_ == animation_.starts.size()) return static_cast<const AVFrame*>(nullptr);
    const Result<AVFrame*> canvas = draw();
    if (!canvas) return canvas.failure();
    if (*canvas == nullptr) return damaged_clip("in its data");
    (*canvas)->pts = animation_.starts[index_++];
    return static_cast<const AVFrame*>(*canvas);
  }

  // Before anything else.
  virtual Status restart() = 0;

 protected:
  // The next canvas, valid until the next call; null when there is none.
  virtual Result<AVFrame*> draw() = 0;

  const Animation animation_;

 private:
  const CancelToken cancel_;
  std::size_t index_ = 0;
};

class WebpDecoder final : public AnimationDecoder {
 public:
  using AnimationDecoder::AnimationDecoder;

  Status restart() override {
    if (canvas_) {
      canvas_->rewind();
      return ok_status();
    }
    Result<WebpCanvas> opened = WebpCanvas::open(animation_.bytes);
    if (!opened) return opened.failure();
    canvas_ = std::move(*opened);
    return ok_status();
  }

 protected:
  Result<AVFrame*> draw() override {
    const Result<const std::uint8_t*> rgba = canvas_->next();
    if (!rgba) return rgba.failure();
    if (*rgba == nullptr) return static_cast<AVFrame*>(nullptr);
    av_frame_unref(frame_.get());
    frame_->format = AV_PIX_FMT_RGBA;
    frame_->width = animation_.size.width;
    frame_->height = animation_.size.height;
    if (av_frame_get_buffer(frame_.get(), 0) < 0) {
      return failure(FailureKind::kOutOfMemory, "no memory for a frame");
    }
    const auto row_bytes = static_cast<std::size_t>(animation_.size.width) * 4;
    for (int y = 0; y < animation_.size.height; ++y) {
      std::memcpy(frame_->data[0] + static_cast<std::ptrdiff_t>(y) * frame_->linesize[0],
                  *rgba + static_cast<std::size_t>(y) * row_bytes, row_bytes);
    }
    return frame_.get();
  }

 private:
  std::optional<WebpCanvas> canvas_;
  FramePtr frame_ = make_frame();
};

class FfmpegAnimationDecoder final : public AnimationDecoder {
 public:
  FfmpegAnimationDecoder(Animation animation, ClipContainer container, CancelToken cancel)
      : AnimationDecoder(std::move(animation), std::move(cancel)), container_(container) {}

  Status restart() override {
    const bool gif = container_ == ClipContainer::kGif;
    Options options;
    options.set("codec_whitelist", gif ? "gif" : "apng");
    codec_.reset();
    OpenedInput opened = open_input_of(animation_.bytes, gif ? "gif" : "apng", options);
    if (opened.answer == AVERROR(ENOMEM)) return av_failure(opened.answer, "no animation");
    if (opened.answer < 0 || opened.input->nb_streams != 1) return damaged_clip("in its index");
    input_ = std::move(opened.input);
    return open_decoder();
  }

 protected:
  Result<AVFrame*> draw() override {
    for (;;) {
      int rc = avcodec_receive_frame(codec_.get(), frame_.get());
      if (rc == AVERROR_EOF) return static_cast<AVFrame*>(nullptr);
      if (rc == AVERROR(EAGAIN)) rc = feed();
      if (rc == AVERROR(ENOMEM)) return av_failure(rc, "no memory to decode");
      if (rc < 0) return damaged_clip("in its data");
      if (frame_->width > 0) return frame_.get();
    }
  }

 private:
  Status open_decoder() {
    const AVCodecParameters& coded = *input_->streams[0]->codecpar;
    const AVCodec* const decoder = avcodec_find_decoder(coded.codec_id);
    codec_.reset(avcodec_alloc_context3(decoder));
    if (!codec_ || avcodec_parameters_to_context(codec_.get(), &coded) < 0) {
      return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
    }
    codec_->max_pixels = std::int64_t{kClipEdgeMaxPx} * kClipEdgeMaxPx;
    codec_->thread_count = 1;
    return av_status(avcodec_open2(codec_.get(), decoder, nullptr), "can't open the decoder");
  }

  int feed() {
    av_packet_unref(packet_.get());
    const int rc = read_answer(*input_, av_read_frame(input_.get(), packet_.get()));
    if (rc < 0 && rc != AVERROR_EOF) return rc;
    av_frame_unref(frame_.get());
    return avcodec_send_packet(codec_.get(), rc < 0 ? nullptr : packet_.get());
  }

  const ClipContainer container_;
  InputPtr input_;
  CodecPtr codec_;
  PacketPtr packet_ = make_packet();
  FramePtr frame_ = make_frame();
};

}  // namespace

Result<std::unique_ptr<FrameDecoder>> open_animation(Animation animation, ClipContainer container,
                                                     CancelToken cancel) {
  std::unique_ptr<AnimationDecoder> decoder;
  if (container == ClipContainer::kWebp) {
    decoder = std::make_unique<WebpDecoder>(std::move(animation), std::move(cancel));
  } else {
    decoder = std::make_unique<FfmpegAnimationDecoder>(std::move(animation), container,
                                                       std::move(cancel));
  }
  if (Status ready = decoder->restart(); !ready) return ready.failure();
  return std::unique_ptr<FrameDecoder>(std::move(decoder));
}

}  // namespace pytoon::media
