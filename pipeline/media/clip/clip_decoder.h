// Decodes a clip's video track in the order its frames are shown, from its start or from a key
// frame. Stops at the first thing that is wrong with the data.
//
// Thread rule: one thread at a time. Blocks. Errors: kMalformed naming where, kIo, kNotFound,
// kCancelled.
#pragma once

#include <memory>
#include <optional>

#include "base/cancel.h"
#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/clip_index.h"
#include "pipeline/media/clip/hardware_decoding.h"

namespace pytoon::media {

class ClipDecoder {
 public:
  // hardware: null for software decoding.
  static Result<std::unique_ptr<ClipDecoder>> open(const ClipIndex& clip, BufferPtr hardware,
                                                   CancelToken cancel);
  // For open().
  ClipDecoder(ClipFile file, CodecPtr codec, CancelToken cancel)
      : file_(std::move(file)), codec_(std::move(codec)), cancel_(std::move(cancel)) {}

  Status seek(const KeyFrame& from);
  const AVStream& track() const { return *file_.track(); }
  // Only key frames from now on.
  void skip_to_key_frames() { codec_->skip_frame = AVDISCARD_NONKEY; }
  // The next frame that is shown, valid until the next call; null after the last.
  Result<const AVFrame*> next();

 private:
  Status feed();
  Failure broken(int error) const;

  ClipFile file_;
  CodecPtr codec_;
  CancelToken cancel_;
  PacketPtr packet_ = make_packet();
  FramePtr frame_ = make_frame();
  std::optional<std::int64_t> not_before_;  // frames shown before it are not whole
};

}  // namespace pytoon::media
