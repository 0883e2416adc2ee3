#include "pipeline/render/scene.h"

#include <algorithm>

#include "base/check.h"

namespace pytoon::render {
namespace {

// The texture's frame-shaped whole at zoom 1; the camera moves in what zoom leaves free.
gpu::Layer moving_layer(const std::shared_ptr<const gpu::Texture>& texture, const Pose& pose,
                        const gpu::Size& frame) {
  const gpu::Size size = texture->size();
  gpu::Layer layer;
  layer.texture = texture;
  layer.clip = {0, 0, frame.width, frame.height};
  layer.x.step = size.width / (frame.width * pose.zoom);
  layer.y.step = size.height / (frame.height * pose.zoom);
  layer.x.origin = (size.width - frame.width * layer.x.step) / 2;
  layer.y.origin = (size.height - frame.height * layer.y.step) / 2 * (1 + pose.lift);
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

Scene::Scene(Parts parts) : parts_(std::move(parts)) {
  CHECK(!parts_.shots.empty(), "frames show a shot");
}

Status Scene::add_shot(const ShotImage& shot, int frame, ClipFrames& clips,
                       std::vector<gpu::Layer>& layers) const {
  const auto add_clip = [&](const ShotClip& clip) -> Status {
    const Result<std::shared_ptr<const gpu::Texture>> texture = clips.texture(clip, frame);
    if (!texture) return texture.failure();
    add_clip_layers(clip, *texture, layers);
    return ok_status();
  };
  if (shot.moving) {
    layers.push_back(moving_layer(shot.moving, shot.path.at(frame), parts_.output.size()));
  }
  if (shot.behind) {
    if (Status added = add_clip(*shot.behind); !added) return added;
  }
  layers.insert(layers.end(), shot.fixed.begin(), shot.fixed.end());
  return shot.front ? add_clip(*shot.front) : ok_status();
}

bool Scene::has_clips() const {
  return std::any_of(parts_.shots.begin(), parts_.shots.end(), [](const ShotImage& shot) {
    return shot.behind != nullptr || shot.front != nullptr;
  });
}

Status Scene::evaluate(int frame, ClipFrames& clips, gpu::Composition& out) const {
  CHECK(frame >= parts_.frames.first && frame < parts_.frames.last, "a scene shows its own frames");
  out.base.clear();
  out.incoming.clear();
  out.top.clear();
  out.mix_256 = 0;

  const std::vector<ShotImage>& shots = parts_.shots;
  std::size_t shot = 0;
  while (shot + 1 < shots.size() && frame >= shots[shot + 1].frames.first) ++shot;
  const int into = frame - shots[shot].frames.first;
  if (shot > 0 && into < parts_.transition_frames) {
    if (Status left = add_shot(shots[shot - 1], frame, clips, out.base); !left) return left;
    if (Status come = add_shot(shots[shot], frame, clips, out.incoming); !come) return come;
    out.mix_256 = (into + 1) * 256 / (parts_.transition_frames + 1);
  } else if (Status added = add_shot(shots[shot], frame, clips, out.base); !added) {
    return added;
  }

  for (const CaptionLayer& caption : parts_.captions) {
    if (frame >= caption.frames.first && frame < caption.frames.last) {
      out.top.push_back(caption.layer);
    }
  }
  if (parts_.logo) out.top.push_back(*parts_.logo);
  return ok_status();
}

}  // namespace pytoon::render
