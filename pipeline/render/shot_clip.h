// A clip in a shot: where it stands on the frame and which of its frames is shown when. A clip
// shorter than its shot begins again; past the shot's end, in a transition, it goes on and stands
// still on its last frame instead of beginning again.
//
// Pure; immutable once made, shared by threads.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "gpu/composition.h"
#include "pipeline/media/clip/clip_index.h"
#include "pipeline/plan/timeline.h"

namespace pytoon::render {

struct ShotClip {
  std::shared_ptr<const media::ClipIndex> clip;
  gpu::Rect place;           // of the upright whole, on the frame or beyond
  plan::FrameSpan shot;      // frames of the whole video
  int frames_before = 0;     // of the clip, shown in earlier shots
  spec::Output output = {};  // of the video

  // Which of the clip's frames is shown at a frame of the whole video.
  std::size_t index_at(int frame) const;
};

// Of the texture that a frame with alpha becomes.
gpu::Size cutout_size(const ShotClip& clip);

// Draws a frame of the clip, whatever size its texture has. One that is much larger than its place
// is sampled several times a pixel, since a sample averages nothing.
void add_clip_layers(const ShotClip& clip, const std::shared_ptr<const gpu::Texture>& texture,
                     std::vector<gpu::Layer>& layers);

// Gives the textures of clips' frames; knows open files, so each segment in work has its own.
class ClipFrames {
 public:
  virtual ~ClipFrames() = default;
  virtual Result<std::shared_ptr<const gpu::Texture>> texture(const ShotClip& clip, int frame) = 0;
};

}  // namespace pytoon::render
