// Time on exact frame bounds: which frames a segment owns, which image or clip and which caption it
// shows, where a transition lies. Pure; microseconds.
//
// A job's footage is one list, its images and then its clips: one a segment in order, from the
// first again when they run out. A clip that comes again goes on where it was left.
#pragma once

#include <string>
#include <vector>

#include "pipeline/plan/segment_source.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::plan {

// Frames [first, last) of the whole video.
struct FrameSpan {
  int first = 0;
  int last = 0;
  int count() const { return last - first; }
  bool operator==(const FrameSpan&) const = default;
};

inline bool overlap(const FrameSpan& a, const FrameSpan& b) {
  return a.first < b.last && b.first < a.last;
}

struct CaptionSpan {
  FrameSpan frames;
  std::string text;
};

// A run of consecutive segments that show the same footage in one continuous movement.
struct Shot {
  FrameSpan frames;
  int image = -1;  // index into the spec's images; -1: none
  int clip = -1;   // index into the spec's clips; neither: a plain background
  SourceKind source = SourceKind::kImages;
  int first_segment = 0;
  int clip_frames_before = 0;  // of the same clip, in earlier shots
};

struct Timeline {
  int frames = 0;
  std::vector<FrameSpan> segments;
  std::vector<Shot> shots;
  std::vector<int> shot_of_segment;
  std::vector<CaptionSpan> captions;
  int transition_frames = 0;  // at the start of every shot but the first; 0 is a cut
};

// sources: one a segment, or empty for kImages.
Timeline make_timeline(const spec::RenderSpec& spec, const std::vector<SourceKind>& sources = {});

// Shots [first, last) of a timeline.
struct ShotRange {
  int first = 0;
  int last = 0;
  bool operator==(const ShotRange&) const = default;
};

// The shots that the frames of `span` show: also the one before, where a transition leaves it.
ShotRange shots_shown(const Timeline& timeline, const FrameSpan& span);
// Whether frames of `span` may show the shot: they lie in it, or a transition may leave it there.
bool may_show(const Timeline& timeline, const Shot& shot, const FrameSpan& span);

// The caption shown at a frame: its index, or -1.
int caption_at(const Timeline& timeline, int frame);

}  // namespace pytoon::plan
