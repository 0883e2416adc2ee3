#include "pipeline/plan/timeline.h"

#include <cmath>

#include "base/check.h"

namespace pytoon::plan {
namespace {

int to_frame(double seconds, int fps) { return static_cast<int>(std::lround(seconds * fps)); }

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

// The same image goes on, even when the client names it twice. What an engine makes is made for
// each segment anew.
bool continues(const spec::RenderSpec& spec, const Shot& before, const Shot& shot) {
  return shot.source == before.source && shot.source != SourceKind::kClip &&
         same_footage(spec, before, shot);
}

int clip_frames_before(const spec::RenderSpec& spec, const std::vector<Shot>& earlier,
                       const Shot& shot) {
  int frames = 0;
  for (const Shot& other : earlier) {
    const bool shown = other.clip >= 0 && other.source != SourceKind::kCard;
    if (shown && same_footage(spec, other, shot)) frames += other.frames.count();
  }
  return frames;
}

int transition_frames_of(const spec::RenderSpec& spec) {
  if (spec.transition.type == spec::TransitionType::kCut) return 0;
  // 150 ms at 30 fps is 4.5 frames and means 5: halves round up.
  return (spec.transition.duration_ms * spec.output.fps + 500) / 1000;
}

}  // namespace

Timeline make_timeline(const spec::RenderSpec& spec, const std::vector<SourceKind>& sources) {
  CHECK(sources.empty() || sources.size() == spec.segments.size(), "one source a segment");
  Timeline timeline;
  for (std::size_t i = 0; i < spec.segments.size(); ++i) {
    const int count = spec.segments[i].duration_seconds * spec.output.fps;
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
    timeline.captions.push_back(
        {{to_frame(timing.start, spec.output.fps), to_frame(timing.end, spec.output.fps)},
         timing.text});
  }
  timeline.transition_frames = transition_frames_of(spec);
  return timeline;
}

ShotRange shots_shown(const Timeline& timeline, const FrameSpan& span) {
  const int count = static_cast<int>(timeline.shots.size());
  const auto first_frame = [&](int shot) {
    return timeline.shots[static_cast<std::size_t>(shot)].frames.first;
  };
  ShotRange range;
  while (range.first + 1 < count && span.first >= first_frame(range.first + 1)) ++range.first;
  range.last = range.first + 1;
  while (range.last < count && span.last > first_frame(range.last)) ++range.last;
  const bool in_transition = span.first - first_frame(range.first) < timeline.transition_frames;
  if (range.first > 0 && in_transition) --range.first;
  return range;
}

bool may_show(const Timeline& timeline, const Shot& shot, const FrameSpan& span) {
  return overlap({shot.frames.first, shot.frames.last + timeline.transition_frames}, span);
}

int caption_at(const Timeline& timeline, int frame) {
  for (std::size_t i = 0; i < timeline.captions.size(); ++i) {
    const FrameSpan& span = timeline.captions[i].frames;
    if (frame >= span.first && frame < span.last) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace pytoon::plan
