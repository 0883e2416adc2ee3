#include "pipeline/plan/dependencies.h"

#include <algorithm>

#include "base/check.h"

namespace pytoon::plan {
namespace {

bool is_overlay(const spec::RenderSpec& spec) {
  return spec.archetype == spec::Archetype::kOverlay;
}

void add_own(const Shot& shot, Dependencies& all) {
  if (shot.image >= 0) all.images.insert(shot.image);
  if (shot.clip >= 0) all.clips.insert(shot.clip);
}

void add_made(const Shot& shot, Dependencies& all) {
  if (shot.source == SourceKind::kClip) all.footage.insert(shot.first_segment);
}

// An engine's clip covers the job's own footage, but for an overlay's product.
void add_drawn(const spec::RenderSpec& spec, const Timeline& timeline, const FrameSpan& span,
               Dependencies& all) {
  const ShotRange shown = shots_shown(timeline, span);
  for (int i = shown.first; i < shown.last; ++i) {
    const Shot& shot = timeline.shots[static_cast<std::size_t>(i)];
    add_made(shot, all);
    if (shot.source != SourceKind::kClip || is_overlay(spec)) add_own(shot, all);
  }
}

bool plays_clip(const spec::RenderSpec& spec, const Shot& shot) {
  switch (shot.source) {
    case SourceKind::kClip:
      return true;
    case SourceKind::kCard:
      return false;
    case SourceKind::kImages:
      // An overlay plays its clip as the product, which footage alone leaves out.
      return shot.clip >= 0 && !(is_overlay(spec) && spec.footage_only);
  }
  CHECK(false, "a source plays clips or not");
}

}  // namespace

Dependencies drawn_from(const spec::RenderSpec& spec, const Timeline& timeline, int segment) {
  Dependencies all;
  const FrameSpan& frames = timeline.segments.at(static_cast<std::size_t>(segment));
  add_drawn(spec, timeline, frames, all);
  const bool clips = plays_clips(spec, timeline);
  for (const CaptionSpan& caption : timeline.captions) {
    if (!overlap(caption.frames, frames)) continue;
    for (const int frame : backdrop_frames(caption.frames, clips)) {
      add_drawn(spec, timeline, {frame, frame + 1}, all);
    }
  }
  return all;
}

Dependencies decided_by(const Timeline& timeline, int segment) {
  Dependencies all;
  const auto add = [&](const FrameSpan& span) {
    for (const Shot& shot : timeline.shots) {
      if (!may_show(timeline, shot, span)) continue;
      add_made(shot, all);
      add_own(shot, all);
    }
  };
  const FrameSpan& frames = timeline.segments.at(static_cast<std::size_t>(segment));
  add(frames);
  for (const CaptionSpan& caption : timeline.captions) {
    if (overlap(caption.frames, frames)) add(caption.frames);
  }
  return all;
}

bool plays_clips(const spec::RenderSpec& spec, const Timeline& timeline) {
  return std::ranges::any_of(timeline.shots,
                             [&](const Shot& shot) { return plays_clip(spec, shot); });
}

std::vector<int> backdrop_frames(const FrameSpan& caption, bool plays_clips) {
  const int steps = plays_clips ? 6 : 2;
  std::vector<int> frames;
  for (int step = 0; step <= steps; ++step) {
    frames.push_back(caption.first + ((caption.count() - 1) * step + steps / 2) / steps);
  }
  return frames;
}

}  // namespace pytoon::plan
