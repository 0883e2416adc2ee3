#include "pipeline/render/segment_cost.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "gpu/memory_layout.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/plan/dependencies.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/scene.h"
#include "pipeline/render/scrim.h"
#include "pipeline/render/shot_images.h"
#include "pipeline/render/sized_images.h"

namespace pytoon::render {
namespace {

// One core's of 2026 with x264's veryfast at a hard image, composing included; a card's encoder.
constexpr double kX264PixelsPerSecond = 60e6;
constexpr double kNvencPixelsPerSecond = 800e6;
constexpr std::chrono::milliseconds kPreparing{400};

std::size_t layers_of(const gpu::Composition& composition) {
  return composition.base.size() + composition.incoming.size() + composition.top.size();
}

// Makes a segment's scene out of sizes, in the order in which SceneBuilder makes the real one.
class SizedScene {
 public:
  SizedScene(const RenderJob& job, const SegmentFacts& facts, PoolTally& tally)
      : job_(job),
        captions_(*facts.captions),
        timeline_(timeline_of(job)),
        product_(product_zone(job.spec, captions_.reserved.height)),
        tally_(tally),
        images_(facts, tally) {}

  Scene build(int index) {
    const plan::FrameSpan frames = timeline_.segments.at(static_cast<std::size_t>(index));
    Result<std::optional<gpu::Layer>> logo = make_logo(job_, images_);
    CHECK(logo.ok(), "a logo's size is known, or it is left out");
    logo_ = std::move(*logo);
    Scene::Parts parts = without_captions(frames, plan::shots_shown(timeline_, frames));
    for (std::size_t i = 0; i < timeline_.captions.size(); ++i) {
      const plan::FrameSpan& shown = timeline_.captions[i].frames;
      if (!plan::overlap(shown, frames)) continue;
      const Caption& caption = captions_.captions.at(i);
      look_behind(shown);
      const gpu::Rect place = plate_place(job_.spec, caption);
      const PreparedPtr plate =
          images_.sized("plate " + std::to_string(i), {place.width, place.height}, false, place);
      parts.captions.push_back({shown, fixed_layer(texture_of(plate), place)});
    }
    return Scene(std::move(parts));
  }

 private:
  Scene::Parts without_captions(const plan::FrameSpan& frames, const plan::ShotRange& range) {
    Result<std::vector<ShotImage>> shots =
        make_shot_images(job_, timeline_, range, product_, images_, 1);
    CHECK(shots.ok(), "sizes can always be made");
    return Scene::Parts{job_.spec.output,  frames, timeline_.transition_frames,
                        std::move(*shots), logo_,  {}};
  }

  // A caption's backdrop is drawn frame by frame into host memory.
  void look_behind(const plan::FrameSpan& caption) {
    const PoolUse before = tally_.held;
    const bool plays_clips = plan::plays_clips(job_.spec, timeline_);
    plan::ShotRange range;
    for (const int frame : plan::backdrop_frames(caption, plays_clips)) {
      const plan::ShotRange shown = plan::shots_shown(timeline_, {frame, frame + 1});
      if (shown != range) {
        look_behind(caption, shown, frame, plays_clips);
        range = shown;
      }
    }
    tally_.held.clips = before.clips;
    tally_.held.frames = before.frames;
    tally_.held.layers = before.layers;
  }

  // All frames of one run of shots, with whatever one of them may show.
  void look_behind(const plan::FrameSpan& caption, const plan::ShotRange& shown, int first,
                   bool plays_clips) {
    const Scene scene(without_captions(caption, shown));
    SizedClips clips;
    gpu::Composition composition;
    for (const int frame : plan::backdrop_frames(caption, plays_clips)) {
      if (frame < first || plan::shots_shown(timeline_, {frame, frame + 1}) != shown) continue;
      const Status known = scene.evaluate(frame, clips, composition);
      CHECK(known.ok(), "clips of sizes can always be read");
      const auto layers = static_cast<std::uint64_t>(layers_of(composition));
      tally_.held.layers =
          std::max(tally_.held.layers, gpu::compositor_bytes({}, 1, layers, false));
    }
    tally_.held.clips = clips.bytes();
    tally_.held.frames = gpu::compositor_bytes(job_.spec.output.size(), 1, 0, true);
    tally_.look();
  }

  const RenderJob& job_;
  const CaptionLayout& captions_;
  const plan::Timeline timeline_;
  const gpu::Rect product_;
  PoolTally& tally_;
  SizedImages images_;
  std::optional<gpu::Layer> logo_;
};

// The most layers of any `batch` frames in a row.
std::uint64_t layers_of_batches(const std::vector<std::size_t>& layers, std::size_t batch) {
  std::uint64_t most = 0;
  std::uint64_t now = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    now += layers[i];
    if (i >= batch) now -= layers[i - batch];
    most = std::max(most, now);
  }
  return most;
}

// Drawing its frames, every compositor at once with all that one may hold.
void draw(const Scene& scene, const RenderMachine& machine, PoolTally& tally, SegmentCost& cost) {
  SizedClips clips;
  gpu::Composition composition;
  std::vector<std::size_t> layers;
  for (int frame = scene.frames().first; frame < scene.frames().last; ++frame) {
    const Status known = scene.evaluate(frame, clips, composition);
    CHECK(known.ok(), "clips of sizes can always be read");
    layers.push_back(layers_of(composition));
  }
  const auto batch = static_cast<std::size_t>(
      scene.has_clips() ? 1 : std::min(machine.batch_frames, scene.frames().count()));
  const auto compositors = static_cast<std::uint64_t>(machine.compositors);
  const gpu::Size size = scene.output().size();
  const bool to_host = !machine.encoder.takes_cuda_frames();
  tally.held.clips = compositors * clips.bytes();
  tally.held.frames = compositors * gpu::compositor_bytes(size, batch, 0, to_host);
  tally.held.layers =
      compositors * gpu::compositor_bytes(size, batch, layers_of_batches(layers, batch), false);
  tally.look();
  if (machine.decodes_clips) {
    cost.decoder_bytes = compositors * clips.decoder_bytes(machine.driver);
  }
  if (to_host) return;
  const int frames = media::cuda_frames_of(machine.encoder, static_cast<int>(batch));
  cost.encoder_bytes =
      compositors * (machine.driver.encoder_session_bytes +
                     static_cast<std::uint64_t>(frames + machine.driver.encoder_frames) *
                         media::cuda_frame_bytes(size));
  cost.encoder_sessions = machine.compositors;
}

std::chrono::milliseconds expected_time(const plan::FrameSpan& frames, const spec::Output& output,
                                        const RenderMachine& machine) {
  const double usual =
      machine.encoder.takes_cuda_frames() ? kNvencPixelsPerSecond : kX264PixelsPerSecond;
  const double rate =
      machine.encoded_pixels_per_second > 0 ? machine.encoded_pixels_per_second : usual;
  const double pixels = 1.0 * output.width * output.height * frames.count();
  const std::chrono::duration<double> encoding(pixels / (rate * machine.compositors));
  return kPreparing + std::chrono::duration_cast<std::chrono::milliseconds>(encoding);
}

}  // namespace

SegmentCost segment_cost(const RenderJob& job, int index, const SegmentFacts& facts,
                         const RenderMachine& machine) {
  CHECK(facts.captions != nullptr, "captions are laid out before a cost is told");
  CHECK(machine.compositors > 0 && machine.batch_frames > 0, "somebody draws");
  SegmentCost cost;
  PoolTally tally;
  const Scene scene = SizedScene(job, facts, tally).build(index);
  cost.expected = expected_time(scene.frames(), job.spec.output, machine);
  cost.pieces = machine.compositors;
  if (!machine.composes_on_cuda) return cost;
  draw(scene, machine, tally, cost);
  cost.pool = tally.peak();
  cost.pool_piece_bytes = machine.driver.pool_piece_bytes;
  if (!machine.has_context) cost.context_bytes = machine.driver.context_bytes;
  return cost;
}

}  // namespace pytoon::render
