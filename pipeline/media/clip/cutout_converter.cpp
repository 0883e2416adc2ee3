#include "pipeline/media/clip/cutout_converter.h"

#include <cstring>

#include "pipeline/media/clip/clip_colours.h"

namespace pytoon::media {
namespace {

gpu::RgbaImage upright(const AVFrame& rgba, const Rotation& rotation) {
  const gpu::Size stored{rgba.width, rgba.height};
  gpu::RgbaImage image(rotated(stored, rotation));
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      const int along_x = rotation.mirrored_x ? image.size.width - 1 - x : x;
      const int along_y = rotation.mirrored_y ? image.size.height - 1 - y : y;
      const int column = rotation.transposed ? along_y : along_x;
      const int row = rotation.transposed ? along_x : along_y;
      std::memcpy(image.at(x, y),
                  rgba.data[0] + static_cast<std::ptrdiff_t>(row) * rgba.linesize[0] + column * 4,
                  4);
    }
  }
  return image;
}

}  // namespace

Result<gpu::RgbaImage> CutoutConverter::convert(const AVFrame& frame) {
  const std::string chain = cutout_chain(frame);
  if (!filter_ || !filter_->takes(frame) || chain != chain_) {
    auto made = FrameFilter::make(frame, {1, 1}, chain);
    if (!made) return made.failure();
    filter_ = std::move(*made);
    chain_ = chain;
  }
  if (Status pushed = filter_->push(&frame); !pushed) return pushed.failure();
  const Result<const AVFrame*> rgba = filter_->pull();
  if (!rgba) return rgba.failure();
  if (*rgba == nullptr) return failure(FailureKind::kMedia, "can't convert the clip's colours");
  return upright(**rgba, rotation_);
}

}  // namespace pytoon::media
