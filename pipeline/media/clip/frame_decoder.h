// Decodes a clip of any kind in the order its frames are shown, from its start or from a key frame.
// Stops at the first thing that is wrong with the data.
//
// Thread rule: one thread at a time. Blocks. Errors: kMalformed naming where, kIo, kNotFound,
// kCancelled, kOutOfMemory.
#pragma once

#include <memory>

#include "base/cancel.h"
#include "pipeline/media/clip/clip_index.h"
#include "pipeline/media/clip/hardware_decoding.h"

namespace pytoon::media {

class FrameDecoder {
 public:
  virtual ~FrameDecoder() = default;
  virtual Status seek(const KeyFrame& from) = 0;
  // Only key frames from now on.
  virtual void skip_to_key_frames() = 0;
  // The next frame that is shown, its time in the clip's ticks, valid until the next call; null
  // after the last.
  virtual Result<const AVFrame*> next() = 0;
};

// Which damage is looked for in frames that can be shown none the less. Frames decoded two at a
// time by FFmpeg's threads are given out before the last is known of them: kAll takes one thread.
enum class Scrutiny { kWhatIsKnown, kAll };

// hardware: null for software decoding, which animations get anyway; else kMedia says what the card
// can't decode.
Result<std::unique_ptr<FrameDecoder>> open_frames(const ClipIndex& clip, BufferPtr hardware,
                                                  CancelToken cancel,
                                                  Scrutiny scrutiny = Scrutiny::kWhatIsKnown);

}  // namespace pytoon::media
