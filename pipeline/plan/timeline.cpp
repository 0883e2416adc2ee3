#include "pipeline/plan/timeline.h"

#include <cmath>

#include "base/check.h"
#include "pipeline/plan/captions.h"

namespace pytoon::plan {
namespace {

int to_frame(double seconds) { return static_cast<int>(std::lround(seconds * kFramesPerSecond)); }

// A segment's place in the list of images and clips.
Shot footage_of_segment(const spec::RenderSpec& spec, std::size_t segment) {
  const std::size_t images = spec.assets.images.size();
  const std::size_t all = images + spec.assets.clips.size();
  Shot shot;
  shot.first_segment = static_cast<int>(segment);
  if (all == 0) return shot;
  const std::size_t place = segment % all;
  if (place < images) {
    shot.image = static_cast<int>(place);
  } else {
    shot.clip = static_cast<int>(place - images);
  }
  return shot;
}

bool same_file(const std::vector<std::string>& uris, int a, int b) {
  if (a < 0 || b < 0) return a == b;
  return uris[static_cast<std::size_t>(a)] == uris[static_cast<std::size_t>(b)];
}

bool same_footage(const spec::RenderSpec& spec, const Shot& a, const Shot& b) {
  return same_file(spec.assets.images, a.image, b.image) &&
         same_file(spec.assets.clips, a.clip, b.clip);
}

// The same picture goes on, even when the client names it twice. What an engine makes is made for
// each segment anew.
bool continues(const spec::RenderSpec& spec, const Shot& before, const Shot& shot) {
  return shot.source == before.source && shot.source != Source::kMade &&
         same_footage(spec, before, shot);
}

int clip_frames_before(const spec::RenderSpec& spec, const std::vector<Shot>& earlier,
                       const Shot& shot) {
  int frames = 0;
  for (const Shot& other : earlier) {
    const bool shown = other.clip >= 0 && other.source != Source::kCard;
    if (shown && same_footage(spec, other, shot)) frames += other.frames.count();
  }
  return frames;
}

int transition_frames_of(const spec::RenderSpec& spec) {
  if (spec.transition.type == spec::TransitionType::kCut) return 0;
  // 150 ms at 30 fps is 4.5 frames and means 5: halves round up.
  return (spec.transition.duration_ms * kFramesPerSecond + 500) / 1000;
}

}  // namespace

Timeline make_timeline(const spec::RenderSpec& spec, const std::vector<Source>& sources) {
  CHECK(sources.empty() || sources.size() == spec.segments.size(), "one source a segment");
  Timeline timeline;
  for (std::size_t i = 0; i < spec.segments.size(); ++i) {
    const int count = spec.segments[i].duration_seconds * kFramesPerSecond;
    const FrameSpan span{timeline.frames, timeline.frames + count};
    timeline.segments.push_back(span);
    timeline.frames = span.last;
    Shot shot = footage_of_segment(spec, i);
    shot.frames = span;
    if (!sources.empty()) shot.source = sources[i];
    if (timeline.shots.empty() || !continues(spec, timeline.shots.back(), shot)) {
      shot.clip_frames_before = clip_frames_before(spec, timeline.shots, shot);
      timeline.shots.push_back(shot);
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
