#include "pipeline/render/prepared_images.h"

#include "gpu/layer_geometry.h"
#include "pipeline/media/decoder/clip_images.h"
#include "pipeline/media/image/image_ops.h"
#include "pipeline/render/layout.h"

namespace pytoon::render {
namespace {

using gpu::RgbaImage;
using Kind = ImageCache::Kind;

constexpr double kBlurSigmaPx = 36;  // of the design, as all lengths below
constexpr double kBackgroundLight = 0.5;
constexpr double kGlowSigmaPx = 38;
constexpr double kShadowSigmaPx = 22;
constexpr int kShadowDropPx = 20;

template <typename... Parts>
std::string key_of(const Parts&... parts) {
  std::string key;
  const auto add = [&key](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if (!key.empty()) key += ' ';
    if constexpr (std::is_arithmetic_v<Part>) {
      key += std::to_string(part);
    } else {
      key += part;
    }
  };
  (add(parts), ...);
  return key;
}

std::string name_of(gpu::Size size) { return key_of(size.width, "x", size.height); }
std::string name_of(gpu::Rgba colour) {
  return key_of(int{colour.r}, int{colour.g}, int{colour.b}, int{colour.a});
}

RgbaImage flattened(const RgbaImage& image, gpu::Rgba background) {
  RgbaImage canvas(image.size, background);
  media::draw_over(canvas, image, 0, 0);
  return canvas;
}

// What an overlay's background is made of: the image itself; of a cut-out, what can be seen of it
// on its own mean colour, so that no dark hole surrounds it.
RgbaImage backdrop_of(const RgbaImage& image, gpu::Rgba background) {
  const gpu::Rect bounds = media::opaque_bounds(image);
  if (bounds.width == 0) return flattened(image, background);
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

// Drawn `drop_px` lower than the product that stands in the middle of canvas.
Status add_silhouette(const RgbaImage& product, gpu::Rgba colour, double sigma_px, double opacity,
                      int drop_px, RgbaImage& canvas) {
  const int margin = (canvas.size.width - product.size.width) / 2;
  Result<RgbaImage> shape = media::silhouette(product, colour, margin, sigma_px, opacity);
  if (!shape) return shape.failure();
  media::draw_over(canvas, *shape, 0, drop_px);
  return ok_status();
}

// The product with its glow and shadow in one image, and its place.
struct Canvas {
  RgbaImage image;
  gpu::Rect place;
};
Result<Canvas> with_effects(const RgbaImage& product, gpu::Rect zone, const spec::OverlayFx& fx,
                            const spec::Output& output) {
  const gpu::Rect place = place_product(product.size, zone, output);
  Result<RgbaImage> sharp = media::resize(product, {place.width, place.height});
  if (!sharp) return sharp.failure();
  const gpu::Rect around = with_margin(place, output);
  Canvas canvas{RgbaImage({around.width, around.height}), around};
  if (fx.glow) {
    const Status lit = add_silhouette(*sharp, {255, 244, 224, 255}, output.scaled(kGlowSigmaPx),
                                      0.75, 0, canvas.image);
    if (!lit) return lit.failure();
  }
  if (fx.shadow) {
    const Status shaded = add_silhouette(*sharp, {0, 0, 0, 255}, output.scaled(kShadowSigmaPx), 0.6,
                                         output.scaled_px(kShadowDropPx), canvas.image);
    if (!shaded) return shaded.failure();
  }
  media::draw_over(canvas.image, *sharp, place.x - around.x, place.y - around.y);
  return canvas;
}

// No less than any device takes for it: a luma and a chroma plane, rows at multiples of 128 bytes,
// and the same again for alpha.
std::uint64_t bytes_of(const gpu::Texture& texture) {
  const auto rows_of = [](int row_bytes, int rows) {
    return static_cast<std::uint64_t>((row_bytes + 127) / 128 * 128) *
           static_cast<std::uint64_t>(rows);
  };
  const gpu::Size size = texture.size();
  const std::uint64_t planes =
      rows_of(size.width, size.height) + rows_of((size.width + 1) / 2 * 2, (size.height + 1) / 2);
  return texture.opaque() ? planes : 2 * planes;
}

std::uint64_t bytes_of(const media::ClipIndex& clip) {
  return sizeof(clip) + clip.times.starts.size() * sizeof(clip.times.starts[0]) +
         clip.key_frames.size() * sizeof(media::KeyFrame);
}

// It holds the path that the clip is played from.
Result<std::shared_ptr<const media::ClipIndex>> index_of(const plan::InputFile& file,
                                                         ImageCache& cache,
                                                         media::FileDecoder& decoder) {
  return cache.get<media::ClipIndex>(
      Kind::kClip, key_of("index", file.sha256, file.path.string()),
      [&]() -> Result<ImageCache::Built<media::ClipIndex>> {
        auto clip = decoder.read_clip_index(file.path);
        if (!clip) return clip.failure();
        const std::uint64_t bytes = bytes_of(**clip);
        return ImageCache::Built<media::ClipIndex>{std::move(*clip), bytes};
      });
}

}  // namespace

std::shared_ptr<const gpu::Texture> texture_of(const PreparedPtr& image) {
  return {image, image->texture.get()};
}

Result<const RgbaImage*> Still::pixels() {
  if (pixels_) return pixels_.get();
  auto decoded =
      cache_.get<RgbaImage>(Kind::kDecoded, key(), [&]() -> Result<ImageCache::Built<RgbaImage>> {
        Result<RgbaImage> image = RgbaImage();
        if (from_ == From::kImage) {
          image = decoder_.read_image(file_.path);
        } else {
          const auto clip = index_of(file_, cache_, decoder_);
          if (!clip) return clip.failure();
          image = media::image_of_clip(decoder_, *clip, 0);
        }
        if (!image) return image.failure();
        const std::uint64_t bytes = image->pixels.size();
        return ImageCache::Built<RgbaImage>{std::make_shared<RgbaImage>(std::move(*image)), bytes};
      });
  if (!decoded) return decoded.failure();
  pixels_ = std::move(*decoded);
  return pixels_.get();
}

Result<PreparedPtr> PreparedImages::get(const std::string& key,
                                        const std::function<Result<PreparedImage>()>& build) {
  return cache_.get<PreparedImage>(
      Kind::kPrepared, key, [&build]() -> Result<ImageCache::Built<PreparedImage>> {
        Result<PreparedImage> image = build();
        if (!image) return image.failure();
        const std::uint64_t bytes = image->texture ? bytes_of(*image->texture) : 0;
        return ImageCache::Built<PreparedImage>{std::make_shared<PreparedImage>(std::move(*image)),
                                                bytes};
      });
}

Result<std::shared_ptr<const gpu::Texture>> PreparedImages::upload(const RgbaImage& image) {
  auto texture = device_.upload(image);
  if (texture || texture.failure().kind != FailureKind::kOutOfMemory) return texture;
  cache_.drop_unused();
  return device_.upload(image);
}

Result<PreparedPtr> PreparedImages::plain(gpu::Rgba colour) {
  return get(key_of("plain", name_of(colour)), [&]() -> Result<PreparedImage> {
    auto texture = upload(RgbaImage(kPlainSize, colour));
    if (!texture) return texture.failure();
    return PreparedImage{std::move(*texture), {}};
  });
}

Result<PreparedPtr> PreparedImages::covering(Still& still, gpu::Rgba background, gpu::Size size) {
  const std::string key = key_of("covering", still.key(), name_of(background), name_of(size));
  return get(key, [&]() -> Result<PreparedImage> {
    const Result<const RgbaImage*> image = still.pixels();
    if (!image) return image.failure();
    Result<RgbaImage> filled = gpu::is_opaque(**image)
                                   ? media::cover(**image, size)
                                   : media::cover(flattened(**image, background), size);
    if (!filled) return filled.failure();
    auto texture = upload(*filled);
    if (!texture) return texture.failure();
    return PreparedImage{std::move(*texture), {}};
  });
}

Result<PreparedPtr> PreparedImages::blurred(Still& still, gpu::Rgba background,
                                            const spec::Output& output) {
  const std::string key =
      key_of("blurred", still.key(), name_of(background), name_of(output.size()));
  return get(key, [&]() -> Result<PreparedImage> {
    const Result<const RgbaImage*> image = still.pixels();
    if (!image) return image.failure();
    Result<RgbaImage> covered =
        media::cover(backdrop_of(**image, background), blurred_size(output));
    if (!covered) return covered.failure();
    Result<RgbaImage> soft = media::blur(*covered, output.scaled(kBlurSigmaPx) / kBlurReduction);
    if (!soft) return soft.failure();
    auto texture = upload(media::darken(*soft, kBackgroundLight));
    if (!texture) return texture.failure();
    return PreparedImage{std::move(*texture), {}};
  });
}

Result<PreparedPtr> PreparedImages::product(Still& still,
                                            const std::optional<plan::InputFile>& mask,
                                            gpu::Rect zone, const spec::OverlayFx& fx,
                                            const spec::Output& output) {
  const std::string key =
      key_of("product", still.key(), mask ? mask->sha256 : "-", zone.x, zone.y, zone.width,
             zone.height, int{fx.shadow}, int{fx.glow}, name_of(output.size()));
  return get(key, [&]() -> Result<PreparedImage> {
    const Result<const RgbaImage*> image = still.pixels();
    if (!image) return image.failure();
    std::optional<RgbaImage> cut;
    if (mask) {
      Still shape = this->still(*mask, Still::From::kImage);
      const Result<const RgbaImage*> alpha = shape.pixels();
      if (!alpha) return alpha.failure();
      Result<RgbaImage> masked = media::apply_mask(**image, **alpha);
      if (!masked) return masked.failure();
      cut = std::move(*masked);
    }
    const RgbaImage& product = cut ? *cut : **image;
    const gpu::Rect bounds = media::opaque_bounds(product);
    if (bounds.width == 0) return PreparedImage{};
    Result<Canvas> canvas = with_effects(media::crop(product, bounds), zone, fx, output);
    if (!canvas) return canvas.failure();
    auto texture = upload(canvas->image);
    if (!texture) return texture.failure();
    return PreparedImage{std::move(*texture), canvas->place};
  });
}

Result<PreparedPtr> PreparedImages::logo(const plan::InputFile& file, const spec::Output& output) {
  return get(key_of("logo", file.sha256, name_of(output.size())), [&]() -> Result<PreparedImage> {
    Still still = this->still(file, Still::From::kImage);
    const Result<const RgbaImage*> image = still.pixels();
    if (!image) return image.failure();
    const gpu::Rect place = place_logo((*image)->size, output);
    Result<RgbaImage> scaled = media::resize(**image, {place.width, place.height});
    if (!scaled) return scaled.failure();
    auto texture = upload(*scaled);
    if (!texture) return texture.failure();
    return PreparedImage{std::move(*texture), place};
  });
}

Result<std::shared_ptr<const media::ClipIndex>> PreparedImages::clip(const plan::InputFile& file) {
  return index_of(file, cache_, decoder_);
}

}  // namespace pytoon::render
