#include "pipeline/render/scene.h"

#include <algorithm>

#include "base/check.h"
#include "pipeline/render/layout.h"

namespace pytoon::render {
namespace {

constexpr gpu::Rect kWholeFrame{0, 0, kFrame.width, kFrame.height};

// The texture's frame-shaped whole at zoom 1; the camera moves in what zoom leaves free.
gpu::Layer moving_layer(const std::shared_ptr<const gpu::Texture>& texture, const Pose& pose) {
  const gpu::Size size = texture->size();
  gpu::Layer layer;
  layer.texture = texture;
  layer.clip = kWholeFrame;
  layer.x.step = size.width / (kFrame.width * pose.zoom);
  layer.y.step = size.height / (kFrame.height * pose.zoom);
  layer.x.origin = (size.width - kFrame.width * layer.x.step) / 2;
  layer.y.origin = (size.height - kFrame.height * layer.y.step) / 2 * (1 + pose.lift);
  return layer;
}

}  // namespace

gpu::Layer fixed_layer(std::shared_ptr<const gpu::Texture> texture, gpu::Rect place,
                       int opacity_256) {
  gpu::Layer layer;
  layer.texture = std::move(texture);
  layer.clip = place;
  layer.x = {-static_cast<double>(place.x), 1};
  layer.y = {-static_cast<double>(place.y), 1};
  layer.opacity_256 = opacity_256;
  return layer;
}

Scene::Scene(plan::Timeline timeline, std::vector<ShotImage> shots, std::optional<gpu::Layer> logo)
    : timeline_(std::move(timeline)), shots_(std::move(shots)), logo_(std::move(logo)) {
  CHECK(shots_.size() == timeline_.shots.size(), "one picture a shot");
}

bool Scene::has_clips() const {
  return std::any_of(shots_.begin(), shots_.end(),
                     [](const ShotImage& shot) { return shot.behind || shot.front; });
}

Status Scene::add_shot(std::size_t shot, int frame, ClipFrames& clips,
                       std::vector<gpu::Layer>& layers) const {
  const auto add_clip = [&](const ShotClip& clip) -> Status {
    const Result<std::shared_ptr<const gpu::Texture>> texture = clips.texture(clip, frame);
    if (!texture) return texture.failure();
    add_clip_layers(clip, *texture, layers);
    return ok_status();
  };
  const ShotImage& picture = shots_[shot];
  if (picture.behind) {
    if (Status added = add_clip(*picture.behind); !added) return added;
  } else {
    layers.push_back(moving_layer(picture.moving, picture.path.at(frame)));
  }
  layers.insert(layers.end(), picture.fixed.begin(), picture.fixed.end());
  return picture.front ? add_clip(*picture.front) : ok_status();
}

Status Scene::evaluate(int frame, ClipFrames& clips, gpu::Composition& out) const {
  out.base.clear();
  out.incoming.clear();
  out.top.clear();
  out.mix_256 = 0;

  std::size_t shot = 0;
  while (shot + 1 < timeline_.shots.size() && frame >= timeline_.shots[shot + 1].frames.first) {
    ++shot;
  }
  const int into = frame - timeline_.shots[shot].frames.first;
  if (shot > 0 && into < timeline_.transition_frames) {
    if (Status left = add_shot(shot - 1, frame, clips, out.base); !left) return left;
    if (Status come = add_shot(shot, frame, clips, out.incoming); !come) return come;
    out.mix_256 = (into + 1) * 256 / (timeline_.transition_frames + 1);
  } else if (Status added = add_shot(shot, frame, clips, out.base); !added) {
    return added;
  }

  for (const CaptionLayer& caption : captions_) {
    if (frame >= caption.frames.first && frame < caption.frames.last) {
      out.top.push_back(caption.layer);
    }
  }
  if (logo_) out.top.push_back(*logo_);
  return ok_status();
}

}  // namespace pytoon::render
