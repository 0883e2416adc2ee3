#include "pipeline/render/scene_builder.h"

#include <vector>

#include "base/check.h"
#include "base/parallel.h"
#include "pipeline/plan/dependencies.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/content_key.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scrim.h"
#include "pipeline/render/shot_images.h"

namespace pytoon::render {
namespace {

// Images and captions of a segment that are prepared at a time: a large photograph is tens of
// megabytes. Where memory is counted it is promised for one of them (segment_cost.h).
int at_once_on(const gpu::Device& device) { return device.memory_use() ? 1 : 2; }

// A frame on the host to look at.
class Sheet {
 public:
  explicit Sheet(gpu::Size size)
      : size_(size),
        bytes_(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3 /
               2) {}

  gpu::HostNv12View view() {
    const auto pitch = static_cast<std::size_t>(size_.width);
    return {size_, bytes_.data(), pitch,
            bytes_.data() + pitch * static_cast<std::size_t>(size_.height), pitch};
  }

 private:
  const gpu::Size size_;
  std::vector<std::uint8_t> bytes_;
};

// Builds one scene.
class SceneBuilder {
 public:
  SceneBuilder(const RenderJob& job, const SceneTools& tools)
      : job_(job),
        tools_(tools),
        timeline_(timeline_of(job)),
        fonts_fingerprint_(tools.fonts.fingerprint(job.spec.style.caption.font)),
        images_(tools.device, tools.cache, tools.decoder),
        at_once_(at_once_on(tools.device)) {}

  Result<std::shared_ptr<const Scene>> build(const plan::FrameSpan& frames) {
    auto sheet = captions_of(job_, tools_);
    if (!sheet) return sheet.failure();
    sheet_ = std::move(*sheet);
    product_ = product_zone(job_.spec, sheet_->reserved.height);
    Result<std::optional<gpu::Layer>> logo = make_logo(job_, images_);
    if (!logo) return logo.failure();
    logo_ = std::move(*logo);

    Result<Scene::Parts> parts =
        without_captions(frames, plan::shots_shown(timeline_, frames), at_once_);
    if (!parts) return parts.failure();
    if (Status added = add_captions(frames, *parts); !added) return added.failure();
    return std::shared_ptr<const Scene>(std::make_shared<Scene>(std::move(*parts)));
  }

 private:
  Status add_captions(const plan::FrameSpan& frames, Scene::Parts& parts) {
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < timeline_.captions.size(); ++i) {
      if (plan::overlap(timeline_.captions[i].frames, frames)) shown.push_back(i);
    }
    std::vector<std::optional<Result<PreparedPtr>>> plates(shown.size());
    in_parallel(static_cast<int>(shown.size()), at_once_, [&](int at) {
      const auto i = static_cast<std::size_t>(at);
      plates[i] = plate_of(shown[i]);
    });
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Result<PreparedPtr>& plate = *plates[i];
      if (!plate) return plate.failure();
      parts.captions.push_back(
          {timeline_.captions[shown[i]].frames, fixed_layer(texture_of(*plate), (*plate)->place)});
    }
    return ok_status();
  }

  Result<Scene::Parts> without_captions(const plan::FrameSpan& frames, const plan::ShotRange& range,
                                        int at_once) {
    Result<std::vector<ShotImage>> shots =
        make_shot_images(job_, timeline_, range, product_, images_, at_once);
    if (!shots) return shots.failure();
    return Scene::Parts{job_.spec.output,  frames, timeline_.transition_frames,
                        std::move(*shots), logo_,  {}};
  }

  // Scrim and text in one image.
  Result<PreparedPtr> plate_of(std::size_t i) {
    const std::string key =
        caption_key(job_, timeline_, *sheet_, static_cast<int>(i), fonts_fingerprint_);
    return images_.get(key, [&]() -> Result<PreparedImage> {
      const Caption& caption = sheet_->captions[i];
      const Result<Backdrop> backdrop = backdrop_of(caption);
      if (!backdrop) return backdrop.failure();
      const Plate plate =
          make_plate(job_.spec, caption, scrim_opacity(job_.spec.archetype, *backdrop));
      auto texture = images_.upload(plate.image);
      if (!texture) return texture.failure();
      return PreparedImage{std::move(*texture), plate.place};
    });
  }

  // What a caption stands on, also in other segments: their shots are let go again one by one.
  Result<Backdrop> backdrop_of(const Caption& caption) {
    Sheet sheet(job_.spec.output.size());
    const std::unique_ptr<gpu::Compositor> compositor = tools_.device.make_compositor();
    gpu::Composition composition;
    plan::ShotRange range;
    std::optional<Scene> scene;
    std::optional<OpenClips> clips;
    Backdrop backdrop;
    const bool plays_clips = plan::plays_clips(job_.spec, timeline_);
    for (const int frame : plan::backdrop_frames(caption.frames, plays_clips)) {
      const plan::ShotRange shown = plan::shots_shown(timeline_, {frame, frame + 1});
      if (!scene || shown != range) {
        Result<Scene::Parts> parts = without_captions(caption.frames, shown, 1);
        if (!parts) return parts.failure();
        scene.emplace(std::move(*parts));
        clips.emplace(tools_.device, tools_.decoder, CancelToken());
        range = shown;
      }
      const Status known = scene->evaluate(frame, *clips, composition);
      if (!known) return known.failure();
      const Status drawn = compositor->compose(composition, sheet.view());
      if (!drawn) return drawn.failure();
      add_backdrop(sheet.view(), caption, backdrop);
    }
    return backdrop;
  }

  const RenderJob& job_;
  const SceneTools tools_;
  const plan::Timeline timeline_;
  const std::string fonts_fingerprint_;
  PreparedImages images_;
  const int at_once_;
  std::shared_ptr<const CaptionLayout> sheet_;
  gpu::Rect product_;
  std::optional<gpu::Layer> logo_;
};

}  // namespace

const plan::InputFile& made_clip(const RenderJob& job, const plan::Shot& shot) {
  const auto& clip = job.footage.at(static_cast<std::size_t>(shot.first_segment)).clip;
  CHECK(clip.has_value(), "footage that an engine made has a file");
  return *clip;
}

Result<std::shared_ptr<const CaptionLayout>> captions_of(const RenderJob& job,
                                                         const SceneTools& tools) {
  const std::string fonts = tools.fonts.fingerprint(job.spec.style.caption.font);
  return tools.cache.get<CaptionLayout>(
      ImageCache::Kind::kCaptions, caption_sheet_key(job, fonts),
      [&]() -> Result<ImageCache::Built<CaptionLayout>> {
        Result<CaptionLayout> sheet = lay_out_captions(job.spec, tools.fonts);
        if (!sheet) return sheet.failure();
        std::uint64_t bytes = 0;
        for (const Caption& caption : sheet->captions) bytes += caption.text.pixels.size();
        return ImageCache::Built<CaptionLayout>{std::make_shared<CaptionLayout>(std::move(*sheet)),
                                                bytes};
      });
}

Result<std::shared_ptr<const Scene>> build_scene(const RenderJob& job,
                                                 const plan::FrameSpan& frames,
                                                 const SceneTools& tools) {
  return SceneBuilder(job, tools).build(frames);
}

}  // namespace pytoon::render
