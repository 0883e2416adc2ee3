#include "pipeline/render/shot_clip.h"

#include <algorithm>

namespace pytoon::render {
namespace {

// Samples along an axis that averages `step` texture pixels well enough.
int samples_for(double step) {
  constexpr double kOneSample = 1.3;
  if (step <= kOneSample) return 1;
  return step <= 2 * kOneSample ? 2 : 3;
}

gpu::Rect within_frame(const gpu::Rect& place, const spec::Output& frame) {
  const int left = std::max(0, place.x);
  const int top = std::max(0, place.y);
  return {left, top, std::min(frame.width, place.x + place.width) - left,
          std::min(frame.height, place.y + place.height) - top};
}

}  // namespace

std::size_t ShotClip::index_at(int frame) const {
  const int last = frames_before + shot.count() - 1;
  const int now = frames_before + std::max(0, frame - shot.first);
  return clip->times.looped_until(now, last, output.fps);
}

gpu::Size cutout_size(const ShotClip& clip) {
  const gpu::Size stored = media::rotated(clip.clip->stored, clip.clip->rotation);
  return {std::min(stored.width, clip.place.width), std::min(stored.height, clip.place.height)};
}

void add_clip_layers(const ShotClip& clip, const std::shared_ptr<const gpu::Texture>& texture,
                     std::vector<gpu::Layer>& layers) {
  const double step_x = static_cast<double>(texture->size().width) / clip.place.width;
  const double step_y = static_cast<double>(texture->size().height) / clip.place.height;
  const int across = samples_for(step_x);
  const int down = samples_for(step_y);
  for (int i = 0; i < across * down; ++i) {
    // Of a frame pixel, from its middle.
    const double right = (i % across + 0.5) / across - 0.5;
    const double below = (i / across + 0.5) / down - 0.5;
    gpu::Layer layer;
    layer.texture = texture;
    layer.x = {(right - clip.place.x) * step_x, step_x};
    layer.y = {(below - clip.place.y) * step_y, step_y};
    layer.clip = within_frame(clip.place, clip.output);
    layer.opacity_256 = 256 / (i + 1);  // the mean of all so far
    layers.push_back(std::move(layer));
  }
}

}  // namespace pytoon::render
