#include "pipeline/render/cost_facts.h"

#include "pipeline/media/image/image_file.h"
#include "pipeline/plan/dependencies.h"
#include "pipeline/render/prepared_images.h"

namespace pytoon::render {
namespace {

void add_image(const plan::InputFile& file, SegmentFacts& facts) {
  if (file.path.empty() || facts.images.contains(file.sha256)) return;
  const Result<media::MediaInfo> info = media::read_image_header(file.path);
  if (info) facts.images.emplace(file.sha256, *info);
}

void add_clip(const plan::InputFile& file, PreparedImages& images, SegmentFacts& facts) {
  if (file.path.empty() || facts.clips.contains(file.sha256)) return;
  const auto index = images.clip(file);
  if (index) facts.clips.emplace(file.sha256, *index);
}

}  // namespace

Result<SegmentFacts> facts_for_cost(const RenderJob& job, int index, const SceneTools& tools) {
  SegmentFacts facts;
  auto captions = captions_of(job, tools);
  if (!captions) return captions.failure();
  facts.captions = std::move(*captions);
  PreparedImages images(tools.device, tools.cache);
  const plan::Dependencies drawn = plan::drawn_from(job.spec, timeline_of(job), index);
  for (const int image : drawn.images) {
    add_image(job.inputs.images.at(static_cast<std::size_t>(image)), facts);
  }
  for (const int clip : drawn.clips) {
    add_clip(job.inputs.clips.at(static_cast<std::size_t>(clip)), images, facts);
  }
  for (const int made : drawn.footage) {
    const std::optional<plan::InputFile>& clip =
        job.footage.at(static_cast<std::size_t>(made)).clip;
    if (clip) add_clip(*clip, images, facts);
  }
  if (job.inputs.logo) add_image(*job.inputs.logo, facts);
  return facts;
}

}  // namespace pytoon::render
