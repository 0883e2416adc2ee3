#include "pipeline/render/shot_images.h"

#include <cmath>

#include "base/check.h"
#include "base/parallel.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/scene_builder.h"

namespace pytoon::render {
namespace {

using ClipPtr = std::shared_ptr<const media::ClipIndex>;

constexpr gpu::Rgba kHeroBackground{0x1a, 0x1a, 0x2e, 255};
constexpr gpu::Rgba kOverlayBackground{0x0d, 0x11, 0x17, 255};
constexpr double kLogoOpacity = 0.6;

// What may be left out of an image: anything but a device that is full, where the same may work
// soon.
bool may_go_without(const Failure& fault) { return fault.kind != FailureKind::kOutOfMemory; }

class ShotMaker {
 public:
  ShotMaker(const RenderJob& job, const plan::Shot& shot, gpu::Rect product, SceneImages& images)
      : job_(job), shot_(shot), product_(product), images_(images) {}

  Result<ShotImage> make() {
    const bool still = shot_.source == plan::SourceKind::kCard || !has_own();
    const double amplitude = still ? 0 : amplitude_of(job_.spec.style.motion_profile);
    const bool zoom_only = job_.spec.archetype != spec::Archetype::kProductHero;
    ShotImage shown{
        shot_.frames, nullptr, CameraPath(job_.spec.seed, shot_, amplitude, zoom_only), {}};
    const Status filled = fill(shown);
    if (!filled) return filled.failure();
    return shown;
  }

 private:
  bool is_overlay() const { return job_.spec.archetype == spec::Archetype::kOverlay; }
  bool has_own() const { return shot_.image >= 0 || shot_.clip >= 0; }
  gpu::Rgba background() const { return is_overlay() ? kOverlayBackground : kHeroBackground; }

  Status fill(ShotImage& shown) {
    if (shot_.source == plan::SourceKind::kCard) return fill_card(shown);
    if (shot_.source == plan::SourceKind::kClip) return fill_made(shown);
    if (!has_own()) return set_moving(images_.plain(background()), shown);
    if (is_overlay()) return fill_overlay(shown);
    if (shot_.clip >= 0) return set_behind(own(), shot_.clip_frames_before, shown);
    Still still = own_still();
    return set_moving(images_.covering(still, kHeroBackground,
                                       moving_size(amplitude_of(job_.spec.style.motion_profile),
                                                   job_.spec.output)),
                      shown);
  }

  // An engine's clip fills the frame; an overlay's product stays the job's own, in front of it.
  Status fill_made(ShotImage& shown) {
    // What an engine made was made for this segment alone.
    const Status behind = set_behind(made_clip(job_, shot_), 0, shown);
    if (!behind || !is_overlay() || !has_own()) return behind;
    Still still = own_still();
    return add_front(still, shown);
  }

  // A clip's background is its first frame: blurring every frame would cost more than all else.
  Status fill_overlay(ShotImage& shown) {
    Still still = own_still();
    const Status moving =
        set_moving(images_.blurred(still, kOverlayBackground, job_.spec.output), shown);
    return moving ? add_front(still, shown) : moving;
  }

  // The card shows the image whole, when it can be read; the card itself never fails for it.
  Status fill_card(ShotImage& shown) {
    const Status moving = set_moving(images_.plain(background()), shown);
    if (!moving || !has_own()) return moving;
    Still still = own_still();
    const Status added = add_product(still, {}, {}, shown);
    return !added && may_go_without(added.failure()) ? ok_status() : added;
  }

  // The product: cut out, or a clip that plays over its own first frame, whose shadow and glow
  // stay.
  Status add_front(Still& still, ShotImage& shown) {
    if (job_.spec.footage_only) return ok_status();
    // A mask belongs to the first image.
    const bool masked = shot_.image == 0;
    const auto add_still = [&] {
      return add_product(still, masked ? job_.inputs.mask : std::nullopt,
                         job_.spec.style.overlay_fx, shown);
    };
    if (shot_.clip < 0) return add_still();
    const Result<ClipPtr> clip = images_.clip(own());
    if (!clip) return clip.failure();
    // Its first frame would be seen through one with alpha, whose shape moves: no shadow, no glow.
    if (!(*clip)->has_alpha) {
      if (Status added = add_still(); !added) return added;
    }
    const gpu::Rect place = place_product((*clip)->upright, product_, job_.spec.output);
    shown.front = placed(*clip, place, shot_.clip_frames_before);
    return ok_status();
  }

  Status add_product(Still& still, const std::optional<plan::InputFile>& mask,
                     const spec::OverlayFx& fx, ShotImage& shown) {
    const Result<PreparedPtr> product =
        images_.product(still, mask, product_, fx, job_.spec.output);
    if (!product) return product.failure();
    if ((*product)->texture) {
      shown.fixed.push_back(fixed_layer(texture_of(*product), (*product)->place));
    }
    return ok_status();
  }

  static Status set_moving(const Result<PreparedPtr>& image, ShotImage& shown) {
    if (!image) return image.failure();
    shown.moving = texture_of(*image);
    return ok_status();
  }

  Status set_behind(const plan::InputFile& file, int frames_before, ShotImage& shown) {
    const Result<ClipPtr> clip = images_.clip(file);
    if (!clip) return clip.failure();
    if ((*clip)->has_alpha) {  // over the scene's own colour
      if (Status under = set_moving(images_.plain(background()), shown); !under) return under;
    }
    const gpu::Rect place = place_cover((*clip)->upright, job_.spec.output);
    shown.behind = placed(*clip, place, frames_before);
    return ok_status();
  }

  std::shared_ptr<const ShotClip> placed(const ClipPtr& clip, gpu::Rect place,
                                         int frames_before) const {
    return std::make_shared<ShotClip>(
        ShotClip{clip, place, shot_.frames, frames_before, job_.spec.output});
  }

  const plan::InputFile& own() const {
    if (shot_.clip >= 0) return job_.inputs.clips.at(static_cast<std::size_t>(shot_.clip));
    return job_.inputs.images.at(static_cast<std::size_t>(shot_.image));
  }
  // The shot's image, or its clip's first frame.
  Still own_still() const {
    return images_.still(own(), shot_.clip < 0 ? Still::From::kImage : Still::From::kClip);
  }

  const RenderJob& job_;
  const plan::Shot& shot_;
  const gpu::Rect product_;
  SceneImages& images_;
};

}  // namespace

Result<std::vector<ShotImage>> make_shot_images(const RenderJob& job,
                                                const plan::Timeline& timeline,
                                                const plan::ShotRange& range, gpu::Rect product,
                                                SceneImages& images, int at_once) {
  const int count = range.last - range.first;
  std::vector<std::optional<Result<ShotImage>>> made(static_cast<std::size_t>(count));
  in_parallel(count, at_once, [&](int i) {
    const plan::Shot& shot = timeline.shots.at(static_cast<std::size_t>(range.first + i));
    made[static_cast<std::size_t>(i)] = ShotMaker(job, shot, product, images).make();
  });
  std::vector<ShotImage> shots;
  for (std::optional<Result<ShotImage>>& shown : made) {
    Result<ShotImage>& shot = *shown;
    if (!shot) return shot.failure();
    shots.push_back(std::move(*shot));
  }
  return shots;
}

Result<std::optional<gpu::Layer>> make_logo(const RenderJob& job, SceneImages& images) {
  const bool wanted = job.spec.brand_safe && !job.spec.footage_only;
  if (!wanted || !job.inputs.logo) return std::optional<gpu::Layer>();
  const Result<PreparedPtr> logo = images.logo(*job.inputs.logo, job.spec.output);
  if (!logo && may_go_without(logo.failure())) return std::optional<gpu::Layer>();
  if (!logo) return logo.failure();
  return std::optional(fixed_layer(texture_of(*logo), (*logo)->place,
                                   static_cast<int>(std::lround(kLogoOpacity * 256))));
}

}  // namespace pytoon::render
