#include "pipeline/render/open_clips.h"

#include <algorithm>

#include "pipeline/media/clip/card_clip.h"
#include "pipeline/media/image/image_ops.h"

namespace pytoon::render {
namespace {

constexpr std::size_t kOpenMax = 3;

}  // namespace

OpenClips::Open& OpenClips::open(const ShotClip& clip) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&clip](const Open& open) { return open.clip == &clip; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back();
  }
  if (open_.size() == kOpenMax) open_.erase(open_.begin());
  Open fresh;
  fresh.clip = &clip;
  const media::ClipOrder order{clip.clip, {clip.place.width, clip.place.height}, cancel_};
  fresh.player = decoder_.open_clip(order);
  if (const auto card = device_.cuda_handles()) {
    fresh.player = media::play_on_card(order, *card, std::move(fresh.player));
  }
  open_.push_back(std::move(fresh));
  return open_.back();
}

Result<std::shared_ptr<const gpu::Texture>> OpenClips::whole(Open& now, std::size_t index) {
  const Result<gpu::Nv12Frame> decoded = now.player->frame(index);
  if (!decoded) return decoded.failure();
  now.texture.reset();  // its memory may serve the next one
  return device_.adopt(*decoded);
}

// No larger than its place: samples of what has alpha can't be averaged layer by layer.
Result<std::shared_ptr<const gpu::Texture>> OpenClips::cutout(Open& now, std::size_t index) {
  Result<gpu::RgbaImage> decoded = now.player->cutout(index);
  const gpu::Size fitting = cutout_size(*now.clip);
  if (decoded && decoded->size != fitting) decoded = media::resize(*decoded, fitting);
  if (!decoded) return decoded.failure();
  now.texture.reset();
  return device_.upload(*decoded);
}

Result<std::shared_ptr<const gpu::Texture>> OpenClips::texture(const ShotClip& clip, int frame) {
  Open& now = open(clip);
  const std::size_t index = clip.index_at(frame);
  if (now.texture && now.index == index) return now.texture;
  Result<std::shared_ptr<const gpu::Texture>> shown =
      clip.clip->has_alpha ? cutout(now, index) : whole(now, index);
  if (!shown) return shown.failure();
  now.texture = std::move(*shown);
  now.index = index;
  return now.texture;
}

}  // namespace pytoon::render
