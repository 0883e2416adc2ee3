// A job's picture at any frame: which layers, where. Everything slow (decoding, scaling, blurring,
// text) has happened when a Scene exists; evaluate() is arithmetic.
//
// Thread rule: immutable once made; evaluate() from any thread into the caller's Composition.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gpu/composition.h"
#include "pipeline/plan/timeline.h"
#include "pipeline/render/motion.h"

namespace pytoon::render {

// One shot: a picture that fills the frame and moves, and what stands still on it.
struct ShotPicture {
  std::shared_ptr<const gpu::Texture> moving;
  CameraPath path;
  std::vector<gpu::Layer> fixed;
};

struct CaptionPlate {
  plan::FrameSpan frames;
  gpu::Layer layer;
};

class Scene {
 public:
  Scene(plan::Timeline timeline, std::vector<ShotPicture> shots, std::optional<gpu::Layer> logo);

  void set_captions(std::vector<CaptionPlate> captions) { captions_ = std::move(captions); }
  const plan::Timeline& timeline() const { return timeline_; }

  // The composition of a frame of the whole video. Reuses the vectors in `out`.
  void evaluate(int frame, gpu::Composition& out) const;

 private:
  void add_shot(std::size_t shot, int frame, std::vector<gpu::Layer>& layers) const;

  plan::Timeline timeline_;
  std::vector<ShotPicture> shots_;
  std::optional<gpu::Layer> logo_;
  std::vector<CaptionPlate> captions_;
};

// A texture laid pixel for pixel at a place on the frame.
gpu::Layer fixed_layer(std::shared_ptr<const gpu::Texture> texture, gpu::Rect place,
                       int opacity_256 = 256);

}  // namespace pytoon::render
