#include "pipeline/render/content_key.h"

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/hash.h"
#include "pipeline/render/scene_builder.h"

namespace pytoon::render {
namespace {

void add_span(Sha256& hash, const plan::FrameSpan& span) {
  hash.field(std::to_string(span.first) + "-" + std::to_string(span.last));
}

bool overlap(const plan::FrameSpan& a, const plan::FrameSpan& b) {
  return a.first < b.last && b.first < a.last;
}

// The look of the whole job: everything of the spec that any frame depends on.
void add_look(Sha256& hash, const RenderJob& job) {
  nlohmann::ordered_json look = spec::to_json(job.spec);
  for (const char* name : {"preset_id", "engine_policy", "segment_prompts", "segments", "assets",
                           "target_duration_seconds", "audio_plan"}) {
    look.erase(name);
  }
  hash.field(look.dump());
  hash.field(job.inputs.logo ? job.inputs.logo->sha256 : "");
}

std::string_view name_of(plan::Source source) {
  switch (source) {
    case plan::Source::kOwn:
      return "own";
    case plan::Source::kCard:
      return "card";
    case plan::Source::kMade:
      return "made";
  }
  CHECK(false, "a source has no name");
}

void add_shot(Sha256& hash, const RenderJob& job, const plan::Shot& shot) {
  add_span(hash, shot.frames);
  hash.field(std::to_string(shot.first_segment));
  hash.field(name_of(shot.source));
  if (shot.source == plan::Source::kMade) hash.field(made_clip(job, shot).sha256);
  if (shot.clip >= 0) {
    hash.field(job.inputs.clips.at(static_cast<std::size_t>(shot.clip)).sha256);
    hash.field(std::to_string(shot.clip_frames_before));
  }
  if (shot.image < 0) return;
  hash.field(job.inputs.images.at(static_cast<std::size_t>(shot.image)).sha256);
  hash.field(job.inputs.mask && shot.image == 0 ? job.inputs.mask->sha256 : "");
}

// Shots that a range of frames shows: also the one before, while a transition leaves it.
void add_shots(Sha256& hash, const RenderJob& job, const plan::Timeline& timeline,
               const plan::FrameSpan& range) {
  for (const plan::Shot& shot : timeline.shots) {
    const plan::FrameSpan shown{shot.frames.first, shot.frames.last + timeline.transition_frames};
    if (overlap(shown, range)) add_shot(hash, job, shot);
  }
}

}  // namespace

std::string content_key(const RenderJob& job, const plan::Timeline& timeline, int segment,
                        const ImageMaker& maker) {
  Sha256 hash;
  hash.field("pytoon segment " + std::to_string(kPictureVersion));
  hash.field(maker.device_kind);
  hash.field(maker.encoder_fingerprint);
  hash.field(maker.fonts_fingerprint);
  add_look(hash, job);
  const plan::FrameSpan& frames = timeline.segments.at(static_cast<std::size_t>(segment));
  add_span(hash, frames);
  add_shots(hash, job, timeline, frames);
  // The scrim of a caption depends on all it is shown over, in other segments too.
  for (const plan::CaptionSpan& caption : timeline.captions) {
    if (!overlap(caption.frames, frames)) continue;
    add_span(hash, caption.frames);
    add_shots(hash, job, timeline, caption.frames);
  }
  return hash.hex();
}

}  // namespace pytoon::render
