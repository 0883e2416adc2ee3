// Time on exact frame bounds: which frames a segment owns, which image and which caption it shows,
// where a transition lies. Pure.
#pragma once

#include <string>
#include <vector>

#include "pipeline/spec/render_spec.h"

namespace pytoon::plan {

// Frames [first, last) of the whole video.
struct FrameSpan {
  int first = 0;
  int last = 0;
  int count() const { return last - first; }
  bool operator==(const FrameSpan&) const = default;
};

struct CaptionSpan {
  FrameSpan frames;
  std::string text;
};

// A run of consecutive segments that show the same image in one continuous movement.
struct Shot {
  FrameSpan frames;
  int image = -1;     // index into the spec's images; -1: none, a plain background
  bool card = false;  // the last rung's plain card instead of moving footage
  int first_segment = 0;
};

struct Timeline {
  int frames = 0;
  std::vector<FrameSpan> segments;
  std::vector<Shot> shots;
  std::vector<int> shot_of_segment;
  std::vector<CaptionSpan> captions;
  int transition_frames = 0;  // at the start of every shot but the first; 0 is a cut
};

// cards: one a segment, or empty for none.
Timeline make_timeline(const spec::RenderSpec& spec, const std::vector<bool>& cards = {});

// The caption shown at a frame: its index, or -1.
int caption_at(const Timeline& timeline, int frame);

}  // namespace pytoon::plan
