#include "pipeline/plan/timeline.h"

#include <cmath>

#include "base/check.h"
#include "pipeline/plan/captions.h"

namespace pytoon::plan {
namespace {

int to_frame(double seconds) { return static_cast<int>(std::lround(seconds * kFramesPerSecond)); }

int image_of_segment(const spec::RenderSpec& spec, std::size_t segment) {
  const std::size_t images = spec.assets.images.size();
  return images == 0 ? -1 : static_cast<int>(segment % images);
}

// The same picture goes on, even when the client names it twice.
bool continues(const spec::RenderSpec& spec, const Shot& shot, int image, bool card) {
  if (shot.card != card || (shot.image < 0) != (image < 0)) return false;
  const auto& images = spec.assets.images;
  return image < 0 ||
         images[static_cast<std::size_t>(shot.image)] == images[static_cast<std::size_t>(image)];
}

int transition_frames_of(const spec::RenderSpec& spec) {
  if (spec.transition.type == spec::TransitionType::kCut) return 0;
  // 150 ms at 30 fps is 4.5 frames and means 5: halves round up.
  return (spec.transition.duration_ms * kFramesPerSecond + 500) / 1000;
}

}  // namespace

Timeline make_timeline(const spec::RenderSpec& spec, const std::vector<bool>& cards) {
  CHECK(cards.empty() || cards.size() == spec.segments.size(), "one card flag a segment");
  Timeline timeline;
  for (std::size_t i = 0; i < spec.segments.size(); ++i) {
    const int count = spec.segments[i].duration_seconds * kFramesPerSecond;
    const FrameSpan span{timeline.frames, timeline.frames + count};
    timeline.segments.push_back(span);
    timeline.frames = span.last;
    const int image = image_of_segment(spec, i);
    const bool card = !cards.empty() && cards[i];
    if (timeline.shots.empty() || !continues(spec, timeline.shots.back(), image, card)) {
      timeline.shots.push_back({span, image, card, static_cast<int>(i)});
    }
    timeline.shots.back().frames.last = span.last;
    timeline.shot_of_segment.push_back(static_cast<int>(timeline.shots.size()) - 1);
  }
  for (const spec::CaptionTiming& timing : spec.captions_plan.timings) {
    timeline.captions.push_back({{to_frame(timing.start), to_frame(timing.end)}, timing.text});
  }
  timeline.transition_frames = transition_frames_of(spec);
  return timeline;
}

int caption_at(const Timeline& timeline, int frame) {
  for (std::size_t i = 0; i < timeline.captions.size(); ++i) {
    const FrameSpan& span = timeline.captions[i].frames;
    if (frame >= span.first && frame < span.last) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace pytoon::plan
