// A clip's frames as whole ones: what is coded as two fields of different moments is
// deinterlaced (FFmpeg's bwdif, a frame for a frame), where the frames themselves say so; all
// others pass untouched. The first frame after a seek has no frame before it to look at.
//
// Thread rule, blocking and errors as FrameDecoder's, and kMedia for interlaced frames that a card
// decoded: those are to be decoded in software.
#pragma once

#include <memory>

#include "pipeline/media/clip/frame_decoder.h"
#include "pipeline/media/clip/frame_filter.h"

namespace pytoon::media {

class ProgressiveDecoder {
 public:
  // tick: of its frames' times, in seconds.
  ProgressiveDecoder(std::unique_ptr<FrameDecoder> decoder, AVRational tick)
      : decoder_(std::move(decoder)), tick_(tick) {}

  Status seek(const KeyFrame& from);
  // The next frame that is shown, valid until the next call; null after the last.
  Result<const AVFrame*> next();

 private:
  Status begin(const AVFrame& frame);

  std::unique_ptr<FrameDecoder> decoder_;
  const AVRational tick_;
  std::unique_ptr<FrameFilter> deinterlacer_;  // from the first interlaced frame on
  bool ended_ = false;
};

}  // namespace pytoon::media
