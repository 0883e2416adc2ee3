// Plays a clip in a confined process of its own, which lives as long as the player: it is told
// which frame to put where, decodes it, converts it, and says when it is there. Frames are drawn
// from the memory that both share (clip_memory.h); nothing of the file is read here.
//
// Its memory and processor time are bounded by the clip's size; each frame has a deadline. A
// decoder that was killed from outside is replaced once a frame, and plays on from where it was.
//
// Thread rule, blocking and errors: ClipPlayer's and FileDecoder's.
#pragma once

#include <memory>

#include "pipeline/media/clip/clip_player.h"
#include "pipeline/media/decoder/clip_memory.h"
#include "pipeline/media/decoder/decoder_limits.h"
#include "pipeline/media/decoder/decoder_processes.h"

namespace pytoon::media {

class ConfinedClip final : public ClipPlayer {
 public:
  // processes must outlive it. Begins nothing yet: that is the first frame's.
  ConfinedClip(DecoderProcesses& processes, const DecoderLimits& limits, const ClipOrder& order);
  ~ConfinedClip() override;

  Result<gpu::Nv12Frame> frame(std::size_t index) override;
  Result<gpu::RgbaImage> cutout(std::size_t index) override;

 private:
  struct Landed {
    std::size_t slot = 0;
    gpu::Size size;
  };
  Result<Landed> fetch(std::size_t index, bool cutout);
  Status begin();
  Status make_memory(bool cutout);

  DecoderProcesses& processes_;
  const DecoderLimits limits_;
  const ClipOrder order_;
  std::unique_ptr<ClipMemory> memory_;        // null before the first frame
  std::unique_ptr<ConfinedDecoder> decoder_;  // null before the first frame, and after a failure
};

}  // namespace pytoon::media
