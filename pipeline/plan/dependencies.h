// Which of a job's files one segment depends on, so that it can be drawn, and its content key told,
// without the rest of the job. Pure.
#pragma once

#include <set>

#include "pipeline/plan/timeline.h"

namespace pytoon::plan {

struct Dependencies {
  std::set<int> images;   // indices into the spec's images
  std::set<int> clips;    // likewise
  std::set<int> footage;  // segments whose own clip an engine made
  bool operator==(const Dependencies&) const = default;
};

// What is opened to draw it: the shot of the segment, the one that it fades from, and those that
// its captions are measured on (backdrop_frames()), which may lie in other segments.
Dependencies drawn_from(const spec::RenderSpec& spec, const Timeline& timeline, int segment);
// Files whose bytes enter its content key: all of drawn_from() and more, since a key holds every
// shot that one of its captions is shown over.
Dependencies decided_by(const Timeline& timeline, int segment);

// Whether any shot of the video plays a clip.
bool plays_clips(const spec::RenderSpec& spec, const Timeline& timeline);
// The frames that tell what a caption stands on: its first, middle and last; more of them where the
// video plays clips, which change in ways that images don't.
std::vector<int> backdrop_frames(const FrameSpan& caption, bool plays_clips);

}  // namespace pytoon::plan
