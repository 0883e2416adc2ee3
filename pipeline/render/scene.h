// The image of a span of frames, such as one segment's: which layers, where. Everything slow
// (decoding images, scaling, blurring, text) has happened when a Scene exists; evaluate() is
// arithmetic, but for the clips that a frame shows, whose textures the caller's ClipFrames gives.
//
// It holds what its own frames show and nothing else: one shot, or two where a transition lies.
//
// Thread rule: immutable once made; evaluate() from any thread into the caller's Composition.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gpu/composition.h"
#include "pipeline/plan/timeline.h"
#include "pipeline/render/motion.h"
#include "pipeline/render/shot_clip.h"

namespace pytoon::render {

// One shot: what fills the frame, an image that moves or a clip; what stands still on it; and a
// clip in front.
struct ShotImage {
  plan::FrameSpan frames;                      // of the whole video
  std::shared_ptr<const gpu::Texture> moving;  // null when `behind` hides all of it
  CameraPath path;
  std::vector<gpu::Layer> fixed;
  std::shared_ptr<const ShotClip> behind = nullptr;
  std::shared_ptr<const ShotClip> front = nullptr;
};

struct CaptionLayer {
  plan::FrameSpan frames;
  gpu::Layer layer;
};

class Scene {
 public:
  struct Parts {
    spec::Output output;
    plan::FrameSpan frames;  // of the whole video
    int transition_frames = 0;
    std::vector<ShotImage> shots;  // those that `frames` show, in their order
    std::optional<gpu::Layer> logo;
    std::vector<CaptionLayer> captions;
  };
  explicit Scene(Parts parts);

  const spec::Output& output() const { return parts_.output; }
  const plan::FrameSpan& frames() const { return parts_.frames; }

  bool has_clips() const;
  // The composition of one of its frames, counted in the whole video. Reuses the vectors in `out`.
  // Fails as `clips` does, never for a scene without clips.
  Status evaluate(int frame, ClipFrames& clips, gpu::Composition& out) const;

 private:
  Status add_shot(const ShotImage& shot, int frame, ClipFrames& clips,
                  std::vector<gpu::Layer>& layers) const;

  const Parts parts_;
};

// A texture laid pixel for pixel at a place on the frame.
gpu::Layer fixed_layer(std::shared_ptr<const gpu::Texture> texture, gpu::Rect place,
                       int opacity_256 = 256);

}  // namespace pytoon::render
