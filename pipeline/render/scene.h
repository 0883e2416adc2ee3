// A job's image at any frame: which layers, where. Everything slow (decoding images, scaling,
// blurring, text) has happened when a Scene exists; evaluate() is arithmetic, but for the clips
// that a frame shows, whose textures the caller's ClipFrames gives.
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

// One shot: what fills the frame, a image that moves or a clip; what stands still on it; and a
// clip in front.
struct ShotImage {
  std::shared_ptr<const gpu::Texture> moving;  // null when `behind` fills the frame
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
  Scene(plan::Timeline timeline, std::vector<ShotImage> shots, std::optional<gpu::Layer> logo);

  void set_captions(std::vector<CaptionLayer> captions) { captions_ = std::move(captions); }
  const plan::Timeline& timeline() const { return timeline_; }

  bool has_clips() const;
  // The composition of a frame of the whole video. Reuses the vectors in `out`. Fails as `clips`
  // does, never for a scene without clips.
  Status evaluate(int frame, ClipFrames& clips, gpu::Composition& out) const;

 private:
  Status add_shot(std::size_t shot, int frame, ClipFrames& clips,
                  std::vector<gpu::Layer>& layers) const;

  plan::Timeline timeline_;
  std::vector<ShotImage> shots_;
  std::optional<gpu::Layer> logo_;
  std::vector<CaptionLayer> captions_;
};

// A texture laid pixel for pixel at a place on the frame.
gpu::Layer fixed_layer(std::shared_ptr<const gpu::Texture> texture, gpu::Rect place,
                       int opacity_256 = 256);

}  // namespace pytoon::render
