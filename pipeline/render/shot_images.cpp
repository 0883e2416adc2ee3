#include "pipeline/render/shot_images.h"

#include <cmath>
#include <map>
#include <tuple>

#include "pipeline/media/clip/clip_source.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/image/image_ops.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/scene_builder.h"

namespace pytoon::render {
namespace {

using gpu::RgbaImage;
using TexturePtr = std::shared_ptr<const gpu::Texture>;

constexpr gpu::Rgba kHeroBackground{0x1a, 0x1a, 0x2e, 255};
constexpr gpu::Rgba kOverlayBackground{0x0d, 0x11, 0x17, 255};
constexpr int kBlurReduction = 4;    // the background is blurred at a quarter of the size
constexpr double kBlurSigmaPx = 36;  // on the frame
constexpr double kBackgroundLight = 0.5;
constexpr double kLogoOpacity = 0.6;

gpu::Rgba background_of(spec::Archetype archetype) {
  return archetype == spec::Archetype::kOverlay ? kOverlayBackground : kHeroBackground;
}

RgbaImage flattened(const RgbaImage& image, gpu::Rgba background) {
  RgbaImage canvas(image.size, background);
  media::draw_over(canvas, image, 0, 0);
  return canvas;
}

// What an overlay's background is made of: the image itself; of a cut-out, what can be seen of it
// on its own mean colour, so that no dark hole surrounds it.
RgbaImage backdrop_of(const RgbaImage& image) {
  const gpu::Rect bounds = media::opaque_bounds(image);
  if (bounds.width == 0) return flattened(image, kOverlayBackground);
  const RgbaImage seen = media::crop(image, bounds);
  std::uint64_t sum[4] = {0, 0, 0, 0};
  for (std::size_t i = 0; i < seen.pixels.size(); i += 4) {
    const std::uint64_t alpha = seen.pixels[i + 3];
    for (std::size_t c = 0; c < 3; ++c) sum[c] += seen.pixels[i + c] * alpha;
    sum[3] += alpha;
  }
  const auto mean = [&](std::size_t c) { return static_cast<std::uint8_t>(sum[c] / sum[3]); };
  return flattened(seen, {mean(0), mean(1), mean(2), 255});
}

// A image whose every pixel maps to about one frame pixel at the closest zoom.
gpu::Size moving_size(double amplitude) {
  const auto scaled = [&](int px) {
    return static_cast<int>(std::lround(px * (1 + amplitude) / 2)) * 2;
  };
  return {scaled(kFrame.width), scaled(kFrame.height)};
}

class ShotMaker {
 public:
  ShotMaker(const RenderJob& job, gpu::Rect product, gpu::Device& device)
      : job_(job), product_(product), device_(device) {}

  Result<ShotImage> make(const plan::Shot& shot) {
    const bool made = shot.source == plan::Source::kMade;
    const Look wanted{shot.image, shot.clip, shot.source, made ? shot.first_segment : 0};
    auto found = looks_.find(wanted);
    if (found == looks_.end()) {
      Result<Prepared> prepared = prepare(shot);
      if (!prepared) return prepared.failure();
      found = looks_.emplace(wanted, std::move(*prepared)).first;
    }
    const Prepared& look = found->second;
    const bool still = shot.source == plan::Source::kCard || (shot.image < 0 && shot.clip < 0);
    const double amplitude = still ? 0 : amplitude_of(job_.spec.style.motion_profile);
    const bool zoom_only = job_.spec.archetype != spec::Archetype::kProductHero;
    ShotImage picture{look.moving, CameraPath(job_.spec.seed, shot, amplitude, zoom_only),
                      look.fixed};
    if (look.behind) {
      // What an engine made was made for this segment alone.
      const int before = made ? 0 : shot.clip_frames_before;
      picture.behind = placed(look.behind, place_cover(look.behind->upright), shot, before);
    }
    if (look.front) {
      const gpu::Rect place = place_product(look.front->upright, product_);
      picture.front = placed(look.front, place, shot, shot.clip_frames_before);
    }
    return picture;
  }

 private:
  using ClipPtr = std::shared_ptr<const media::ClipIndex>;
  using Look = std::tuple<int, int, plan::Source, int>;  // image, clip, source, segment
  struct Prepared {
    TexturePtr moving;
    std::vector<gpu::Layer> fixed;
    ClipPtr behind = nullptr;
    ClipPtr front = nullptr;
  };

  bool is_overlay() const { return job_.spec.archetype == spec::Archetype::kOverlay; }

  Result<Prepared> prepare(const plan::Shot& shot) {
    if (shot.source == plan::Source::kCard) return prepare_card(shot);
    if (shot.source == plan::Source::kMade) return prepare_made(shot);
    if (shot.image < 0 && shot.clip < 0) return prepare_plain();
    if (is_overlay()) return prepare_overlay(shot);
    if (shot.clip >= 0) return prepare_behind(input(shot).path);
    Result<RgbaImage> image = still_of(shot);
    if (!image) return image.failure();
    Result<RgbaImage> filled =
        media::cover(flattened(*image, kHeroBackground),
                     moving_size(amplitude_of(job_.spec.style.motion_profile)));
    if (!filled) return filled.failure();
    return uploaded(*filled);
  }

  static Result<Prepared> prepare_behind(const std::filesystem::path& file) {
    Result<ClipPtr> clip = media::index_clip(file);
    if (!clip) return clip.failure();
    Prepared prepared;
    prepared.behind = std::move(*clip);
    return prepared;
  }

  // An engine's clip fills the frame; an overlay's product stays the job's own, in front of it.
  Result<Prepared> prepare_made(const plan::Shot& shot) {
    Result<Prepared> prepared = prepare_behind(made_clip(job_, shot).path);
    const bool product = is_overlay() && (shot.image >= 0 || shot.clip >= 0);
    if (!prepared || !product) return prepared;
    Result<RgbaImage> image = still_of(shot);
    if (!image) return image.failure();
    const Status added = add_front(shot, *image, *prepared);
    if (!added) return added.failure();
    return prepared;
  }

  Result<Prepared> prepare_plain() {
    return uploaded(RgbaImage({16, 16}, background_of(job_.spec.archetype)));
  }

  // A clip's background is its first frame: blurring every frame would cost more than all else.
  Result<Prepared> prepare_overlay(const plan::Shot& shot) {
    Result<RgbaImage> image = still_of(shot);
    if (!image) return image.failure();
    const gpu::Size small{kFrame.width / kBlurReduction, kFrame.height / kBlurReduction};
    Result<RgbaImage> covered = media::cover(backdrop_of(*image), small);
    if (!covered) return covered.failure();
    Result<RgbaImage> blurred = media::blur(*covered, kBlurSigmaPx / kBlurReduction);
    if (!blurred) return blurred.failure();
    Result<Prepared> prepared = uploaded(media::darken(*blurred, kBackgroundLight));
    if (!prepared) return prepared.failure();
    const Status added = add_front(shot, *image, *prepared);
    if (!added) return added.failure();
    return prepared;
  }

  // The product: cut out, or a clip that plays over its own first frame, whose shadow and glow
  // stay.
  Status add_front(const plan::Shot& shot, const RgbaImage& image, Prepared& prepared) {
    if (job_.spec.footage_only) return ok_status();
    Result<RgbaImage> product = cut_out(shot, image);
    if (!product) return product.failure();
    const Status added = add_product(*product, job_.spec.style.overlay_fx, prepared);
    if (!added || shot.clip < 0) return added;
    Result<ClipPtr> clip = media::index_clip(input(shot).path);
    if (!clip) return clip.failure();
    prepared.front = std::move(*clip);
    return ok_status();
  }

  // The card shows the image whole, when it can be read; the card itself never fails for it.
  Result<Prepared> prepare_card(const plan::Shot& shot) {
    Result<Prepared> prepared = prepare_plain();
    if (!prepared || (shot.image < 0 && shot.clip < 0)) return prepared;
    Result<RgbaImage> image = still_of(shot);
    if (!image) return prepared;
    const Status added = add_product(*image, {}, *prepared);
    if (!added) return added.failure();
    return prepared;
  }

  // A mask belongs to the first image.
  Result<RgbaImage> cut_out(const plan::Shot& shot, const RgbaImage& image) {
    if (!job_.inputs.mask || shot.image != 0) return image;
    Result<RgbaImage> mask = media::read_image(job_.inputs.mask->path);
    if (!mask) return mask.failure();
    return media::apply_mask(image, *mask);
  }

  // The product with its glow and shadow as one still layer.
  Status add_product(const RgbaImage& image, const spec::OverlayFx& fx, Prepared& prepared) {
    const gpu::Rect bounds = media::opaque_bounds(image);
    if (bounds.width == 0) return ok_status();  // nothing of it can be seen
    const RgbaImage trimmed = media::crop(image, bounds);
    const gpu::Rect place = place_product(trimmed.size, product_);
    Result<RgbaImage> sharp = media::resize(trimmed, {place.width, place.height});
    if (!sharp) return sharp.failure();

    constexpr int kMarginPx = 120;
    const gpu::Rect around{place.x - kMarginPx, place.y - kMarginPx, place.width + 2 * kMarginPx,
                           place.height + 2 * kMarginPx};
    RgbaImage canvas({around.width, around.height});
    if (fx.glow) {
      const Status lit = add_silhouette(*sharp, {255, 244, 224, 255}, 38, 0.75, 0, canvas);
      if (!lit) return lit;
    }
    if (fx.shadow) {
      const Status shaded = add_silhouette(*sharp, {0, 0, 0, 255}, 22, 0.6, 20, canvas);
      if (!shaded) return shaded;
    }
    media::draw_over(canvas, *sharp, kMarginPx, kMarginPx);
    Result<TexturePtr> texture = device_.upload(canvas);
    if (!texture) return texture.failure();
    prepared.fixed.push_back(fixed_layer(std::move(*texture), around));
    return ok_status();
  }

  // Drawn `drop_px` lower than the product that stands in the middle of canvas.
  static Status add_silhouette(const RgbaImage& product, gpu::Rgba color, double sigma_px,
                               double opacity, int drop_px, RgbaImage& canvas) {
    const int margin = (canvas.size.width - product.size.width) / 2;
    Result<RgbaImage> shape = media::silhouette(product, color, margin, sigma_px, opacity);
    if (!shape) return shape.failure();
    media::draw_over(canvas, *shape, 0, drop_px);
    return ok_status();
  }

  Result<Prepared> uploaded(const RgbaImage& image) {
    Result<TexturePtr> texture = device_.upload(image);
    if (!texture) return texture.failure();
    return Prepared{std::move(*texture), {}, nullptr, nullptr};
  }

  // The shot's image, or its clip's first frame.
  Result<RgbaImage> still_of(const plan::Shot& shot) const {
    if (shot.clip < 0) return media::read_image(input(shot).path);
    const Result<ClipPtr> clip = media::index_clip(input(shot).path);
    if (!clip) return clip.failure();
    return media::first_picture(*clip);
  }

  static std::shared_ptr<const ShotClip> placed(const ClipPtr& clip, gpu::Rect place,
                                                const plan::Shot& shot, int frames_before) {
    return std::make_shared<ShotClip>(ShotClip{clip, place, shot.frames, frames_before});
  }

  const InputFile& input(const plan::Shot& shot) const {
    if (shot.clip >= 0) return job_.inputs.clips.at(static_cast<std::size_t>(shot.clip));
    return job_.inputs.images.at(static_cast<std::size_t>(shot.image));
  }

  const RenderJob& job_;
  const gpu::Rect product_;
  gpu::Device& device_;
  std::map<Look, Prepared> looks_;
};

}  // namespace

Result<std::vector<ShotImage>> make_shot_images(const RenderJob& job,
                                                const plan::Timeline& timeline, gpu::Rect product,
                                                gpu::Device& device) {
  ShotMaker maker(job, product, device);
  std::vector<ShotImage> pictures;
  for (const plan::Shot& shot : timeline.shots) {
    Result<ShotImage> picture = maker.make(shot);
    if (!picture) return picture.failure();
    pictures.push_back(std::move(*picture));
  }
  return pictures;
}

Result<std::optional<gpu::Layer>> make_logo(const RenderJob& job, gpu::Device& device) {
  const bool wanted = job.spec.brand_safe && !job.spec.footage_only;
  if (!wanted || !job.inputs.logo) return std::optional<gpu::Layer>();
  Result<RgbaImage> image = media::read_image(job.inputs.logo->path);
  if (!image) return std::optional<gpu::Layer>();
  const gpu::Rect place = place_logo(image->size);
  Result<RgbaImage> scaled = media::resize(*image, {place.width, place.height});
  if (!scaled) return scaled.failure();
  Result<TexturePtr> texture = device.upload(*scaled);
  if (!texture) return texture.failure();
  return std::optional(
      fixed_layer(std::move(*texture), place, static_cast<int>(std::lround(kLogoOpacity * 256))));
}

}  // namespace pytoon::render
