#include "pipeline/render/cost_facts.h"

#include "pipeline/plan/dependencies.h"
#include "pipeline/render/prepared_images.h"

namespace pytoon::render {
namespace {

void add_image(const plan::InputFile& file, const Inputs& inputs, media::FileDecoder& decoder,
               SegmentFacts& facts) {
  if (facts.images.contains(file.sha256)) return;
  if (file.path.empty()) {
    const auto known = inputs.known.find(file.sha256);
    if (known != inputs.known.end()) facts.images.insert(*known);
    return;
  }
  const Result<media::MediaInfo> info = decoder.image_header(file.path);
  if (info) facts.images.emplace(file.sha256, *info);
}

// A clip of which only what was found at its upload is known: no packets, and a path that names
// nothing.
std::shared_ptr<const media::ClipIndex> sized_clip(const std::string& sha256,
                                                   const media::MediaInfo& known) {
  auto index = std::make_shared<media::ClipIndex>();
  index->path = sha256;
  index->stored = index->upright = known.size;
  index->has_alpha = known.has_alpha;
  index->times.starts = {0};
  index->times.end = 1;
  return index;
}

void add_clip(const plan::InputFile& file, const Inputs& inputs, PreparedImages& images,
              SegmentFacts& facts) {
  if (facts.clips.contains(file.sha256)) return;
  if (file.path.empty()) {
    const auto known = inputs.known.find(file.sha256);
    if (known == inputs.known.end()) return;
    facts.clips.emplace(file.sha256, sized_clip(file.sha256, known->second));
    return;
  }
  const auto index = images.clip(file);
  if (index) facts.clips.emplace(file.sha256, *index);
}

}  // namespace

Result<SegmentFacts> facts_for_cost(const RenderJob& job, int index, const SceneTools& tools) {
  SegmentFacts facts;
  auto captions = captions_of(job, tools);
  if (!captions) return captions.failure();
  facts.captions = std::move(*captions);
  PreparedImages images(tools.device, tools.cache, tools.decoder);
  const plan::Dependencies drawn = plan::drawn_from(job.spec, timeline_of(job), index);
  for (const int image : drawn.images) {
    add_image(job.inputs.images.at(static_cast<std::size_t>(image)), job.inputs, tools.decoder,
              facts);
  }
  for (const int clip : drawn.clips) {
    add_clip(job.inputs.clips.at(static_cast<std::size_t>(clip)), job.inputs, images, facts);
  }
  for (const int made : drawn.footage) {
    const std::optional<plan::InputFile>& clip =
        job.footage.at(static_cast<std::size_t>(made)).clip;
    if (clip) add_clip(*clip, job.inputs, images, facts);
  }
  if (job.inputs.logo) add_image(*job.inputs.logo, job.inputs, tools.decoder, facts);
  return facts;
}

}  // namespace pytoon::render
