#include "pipeline/render/scene_builder.h"

#include <vector>

#include "base/check.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scrim.h"
#include "pipeline/render/shot_images.h"

namespace pytoon::render {
namespace {

// A frame on the host to look at.
class Sheet {
 public:
  Sheet() : bytes_(static_cast<std::size_t>(kFrame.width) * kFrame.height * 3 / 2) {}

  gpu::HostNv12View view() {
    const auto pitch = static_cast<std::size_t>(kFrame.width);
    return {kFrame, bytes_.data(), pitch,
            bytes_.data() + pitch * static_cast<std::size_t>(kFrame.height), pitch};
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

plan::Source source_of(Footage kind) {
  switch (kind) {
    case Footage::kImages:
      return plan::Source::kOwn;
    case Footage::kCard:
      return plan::Source::kCard;
    case Footage::kClip:
      return plan::Source::kMade;
  }
  CHECK(false, "footage has a source");
}

// What a caption stands on in its first, middle and last frame; more of them over clips, which
// change in ways that images don't.
Result<Backdrop> backdrop_of(const Caption& caption, const Scene& scene, ClipFrames& clips,
                             gpu::Compositor& compositor) {
  Sheet sheet;
  gpu::Composition composition;
  Backdrop backdrop;
  const int steps = scene.has_clips() ? 6 : 2;
  const int last = caption.frames.count() - 1;
  for (int step = 0; step <= steps; ++step) {
    const int frame = caption.frames.first + (last * step + steps / 2) / steps;
    const Status known = scene.evaluate(frame, clips, composition);
    if (!known) return known.failure();
    const Status drawn = compositor.compose(composition, sheet.view());
    if (!drawn) return drawn.failure();
    add_backdrop(sheet.view(), caption, backdrop);
  }
  return backdrop;
}

Result<std::vector<CaptionLayer>> caption_plates(const spec::RenderSpec& spec,
                                                 const CaptionLayout& sheet, const Scene& scene,
                                                 gpu::Device& device) {
  const std::unique_ptr<gpu::Compositor> compositor = device.make_compositor();
  OpenClips clips(device, {});
  std::vector<CaptionLayer> plates;
  for (const Caption& caption : sheet.captions) {
    Result<Backdrop> backdrop = backdrop_of(caption, scene, clips, *compositor);
    if (!backdrop) return backdrop.failure();
    const Plate plate = make_plate(spec.archetype, spec.style.caption.position, caption,
                                   scrim_opacity(spec.archetype, *backdrop));
    Result<std::shared_ptr<const gpu::Texture>> texture = device.upload(plate.image);
    if (!texture) return texture.failure();
    plates.push_back({caption.frames, fixed_layer(std::move(*texture), plate.place)});
  }
  return plates;
}

}  // namespace

plan::Timeline timeline_of(const RenderJob& job) {
  std::vector<plan::Source> sources;
  for (const SegmentFootage& footage : job.footage) sources.push_back(source_of(footage.kind));
  return plan::make_timeline(job.spec, sources);
}

const InputFile& made_clip(const RenderJob& job, const plan::Shot& shot) {
  const auto& clip = job.footage.at(static_cast<std::size_t>(shot.first_segment)).clip;
  CHECK(clip.has_value(), "footage that an engine made has a file");
  return *clip;
}

Result<std::shared_ptr<const Scene>> build_scene(const RenderJob& job, gpu::Device& device,
                                                 const media::FontLibrary& fonts) {
  Result<CaptionLayout> sheet = lay_out_captions(job.spec, fonts);
  if (!sheet) return sheet.failure();
  const plan::Timeline timeline = timeline_of(job);
  const gpu::Rect product = product_zone(job.spec, sheet->reserved.height);
  Result<std::vector<ShotImage>> shots = make_shot_images(job, timeline, product, device);
  if (!shots) return shots.failure();
  Result<std::optional<gpu::Layer>> logo = make_logo(job, device);
  if (!logo) return logo.failure();

  auto scene = std::make_shared<Scene>(timeline, std::move(*shots), std::move(*logo));
  Result<std::vector<CaptionLayer>> captions = caption_plates(job.spec, *sheet, *scene, device);
  if (!captions) return captions.failure();
  scene->set_captions(std::move(*captions));
  return std::shared_ptr<const Scene>(std::move(scene));
}

}  // namespace pytoon::render
