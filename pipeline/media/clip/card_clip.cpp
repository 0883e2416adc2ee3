#include "pipeline/media/clip/card_clip.h"

#include "pipeline/media/clip/clip_source.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {
namespace {

class CardClip final : public ClipPlayer {
 public:
  CardClip(const ClipOrder& order, const gpu::CudaHandles& card,
           std::unique_ptr<ClipPlayer> otherwise)
      : name_(order.clip->path.filename().string()),
        card_(std::make_unique<ClipSource>(order, card)),
        otherwise_(std::move(otherwise)) {}

  Result<gpu::Nv12Frame> frame(std::size_t index) override {
    if (card_) {
      Result<gpu::Nv12Frame> shown = card_->frame(index);
      if (shown || shown.failure().kind == FailureKind::kCancelled) return shown;
      av_log(nullptr, AV_LOG_WARNING, "clip %s is decoded in software: %s\n", name_.c_str(),
             shown.failure().detail.c_str());
      card_.reset();
    }
    return otherwise_->frame(index);
  }
  Result<gpu::RgbaImage> cutout(std::size_t index) override { return otherwise_->cutout(index); }

 private:
  const std::string name_;
  std::unique_ptr<ClipSource> card_;  // null once it failed
  const std::unique_ptr<ClipPlayer> otherwise_;
};

}  // namespace

std::unique_ptr<ClipPlayer> play_on_card(const ClipOrder& order, const gpu::CudaHandles& card,
                                         std::unique_ptr<ClipPlayer> otherwise) {
  return std::make_unique<CardClip>(order, card, std::move(otherwise));
}

}  // namespace pytoon::media
