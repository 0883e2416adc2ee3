#include "pipeline/media/clip/progressive_decoder.h"

namespace pytoon::media {

Status ProgressiveDecoder::seek(const KeyFrame& from) {
  deinterlacer_.reset();
  ended_ = false;
  return decoder_->seek(from);
}

Status ProgressiveDecoder::begin(const AVFrame& frame) {
  if (frame.format == AV_PIX_FMT_CUDA) {
    return failure(FailureKind::kMedia, "it is interlaced");
  }
  auto made = FrameFilter::make(frame, tick_, "bwdif=mode=send_frame:parity=auto:deint=interlaced");
  if (!made) return made.failure();
  deinterlacer_ = std::move(*made);
  return ok_status();
}

Result<const AVFrame*> ProgressiveDecoder::next() {
  for (;;) {
    if (deinterlacer_) {
      const Result<const AVFrame*> ready = deinterlacer_->pull();
      if (!ready || *ready != nullptr || ended_) return ready;
    }
    const Result<const AVFrame*> decoded = decoder_->next();
    if (!decoded) return decoded;
    if (*decoded == nullptr && !deinterlacer_) return decoded;
    if (*decoded == nullptr) {
      ended_ = true;
      if (Status pushed = deinterlacer_->push(nullptr); !pushed) return pushed.failure();
      continue;
    }
    const bool begins =
        deinterlacer_ ? !deinterlacer_->takes(**decoded) : (*decoded)->interlaced_frame != 0;
    if (begins) {
      if (Status begun = begin(**decoded); !begun) return begun.failure();
    }
    if (!deinterlacer_) return decoded;
    if (Status pushed = deinterlacer_->push(*decoded); !pushed) return pushed.failure();
  }
}

}  // namespace pytoon::media
