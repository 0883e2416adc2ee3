// Plays a clip in this process: what a confined decoder does, and what a card's decoder needs,
// since it works in the context of the process that draws.
//
// With a card (NVDEC) frames lie in its memory and are sampled there, if the clip is H.264 or HEVC,
// 8-bit 4:2:0 in BT.709 limited range, progressive and not turned; any other is refused with
// kMedia, before a frame of it is decoded in software: card_clip.h turns to a confined decoder
// then. Frames of the card are written on its context's default stream; at most kSurfacesHeld of
// them may be held at a time.
//
// Thread rule, blocking and errors: ClipPlayer's. The CancelToken is looked at at every packet.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gpu/device.h"
#include "pipeline/media/clip/clip_player.h"

namespace pytoon::media {

class ClipSource final : public ClipPlayer {
 public:
  // Opens nothing yet: that is the first frame()'s. card: of the device that draws the clip.
  explicit ClipSource(ClipOrder order, std::optional<gpu::CudaHandles> card = std::nullopt);
  ~ClipSource() override;
  ClipSource(const ClipSource&) = delete;
  ClipSource& operator=(const ClipSource&) = delete;

  Result<gpu::Nv12Frame> frame(std::size_t index) override;
  Result<gpu::RgbaImage> cutout(std::size_t index) override;

 private:
  struct State;  // FFmpeg's side

  Status reach(std::int64_t wanted);
  Status open();
  Status begin_before(std::int64_t wanted);
  Status advance(std::int64_t wanted);
  Result<gpu::Nv12Frame> frame_of_held();
  void begin_anew();

  const std::shared_ptr<const ClipIndex> clip_;
  const ClipOrder order_;
  const std::optional<gpu::CudaHandles> card_;
  std::unique_ptr<State> state_;
};

}  // namespace pytoon::media
