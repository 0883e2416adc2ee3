// Decodes the video track of a movie or Matroska file, by FFmpeg.
//
// Thread rule, blocking and errors as FrameDecoder's.
#pragma once

#include <memory>
#include <optional>

#include "base/cancel.h"
#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/frame_decoder.h"

namespace pytoon::media {

class ClipDecoder final : public FrameDecoder {
 public:
  // hardware: null for software decoding; else frames are the card's, or kMedia says why not.
  static Result<std::unique_ptr<ClipDecoder>> open(const ClipIndex& clip, BufferPtr hardware,
                                                   CancelToken cancel,
                                                   Scrutiny scrutiny = Scrutiny::kWhatIsKnown);
  // For open().
  ClipDecoder(ClipFile file, std::unique_ptr<CardTrack> card, CodecPtr codec, CancelToken cancel)
      : file_(std::move(file)),
        card_(std::move(card)),
        codec_(std::move(codec)),
        cancel_(std::move(cancel)) {}

  Status seek(const KeyFrame& from) override;
  const AVStream& track() const { return *file_.track(); }
  void skip_to_key_frames() override { codec_->skip_frame = AVDISCARD_NONKEY; }
  Result<const AVFrame*> next() override;

 private:
  Status feed();
  Failure broken(int error) const;

  ClipFile file_;
  std::unique_ptr<CardTrack> card_;  // null: software
  CodecPtr codec_;
  CancelToken cancel_;
  PacketPtr packet_ = make_packet();
  FramePtr frame_ = make_frame();
  std::optional<std::int64_t> not_before_;  // frames shown before it are not whole
};

}  // namespace pytoon::media
