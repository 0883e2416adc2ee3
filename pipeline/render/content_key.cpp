#include "pipeline/render/content_key.h"

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "pipeline/plan/dependencies.h"
#include "pipeline/render/layout.h"
#include "pipeline/render/scene_builder.h"

namespace pytoon::render {
namespace {

void add_span(Sha256& hash, const plan::FrameSpan& span) {
  hash.field(std::to_string(span.first) + "-" + std::to_string(span.last));
}

void add_place(Sha256& hash, const gpu::Rect& place) {
  hash.field(std::to_string(place.x) + "," + std::to_string(place.y) + " " +
             std::to_string(place.width) + "x" + std::to_string(place.height));
}

// The look of the whole job: everything of the spec that any frame depends on.
void add_look(Sha256& hash, const RenderJob& job, const CaptionLayout& captions) {
  nlohmann::ordered_json look = spec::to_json(job.spec);
  for (const char* name :
       {"preset_id", "engine_policy", "segment_prompts", "segments", "assets", "captions_plan",
        "target_duration_seconds", "audio_plan", "quality", "reuse"}) {
    look.erase(name);
  }
  hash.field(json_text(look));
  hash.field(job.inputs.logo ? job.inputs.logo->sha256 : "");
  // The product keeps clear of all captions.
  if (job.spec.archetype == spec::Archetype::kOverlay) {
    add_place(hash, product_zone(job.spec, captions.reserved.height));
  }
}

std::string_view name_of(plan::SourceKind source) {
  switch (source) {
    case plan::SourceKind::kImages:
      return "own";
    case plan::SourceKind::kCard:
      return "card";
    case plan::SourceKind::kClip:
      return "made";
  }
  CHECK(false, "a source has no name");
}

void add_file(Sha256& hash, const plan::InputFile& file) {
  CHECK(!file.sha256.empty(), "a file that decides a key has its hash");
  hash.field(file.sha256);
}

void add_shot(Sha256& hash, const RenderJob& job, const plan::Shot& shot) {
  add_span(hash, shot.frames);
  hash.field(std::to_string(shot.first_segment));
  hash.field(name_of(shot.source));
  if (shot.source == plan::SourceKind::kClip) add_file(hash, made_clip(job, shot));
  if (shot.clip >= 0) {
    add_file(hash, job.inputs.clips.at(static_cast<std::size_t>(shot.clip)));
    hash.field(std::to_string(shot.clip_frames_before));
  }
  if (shot.image < 0) return;
  add_file(hash, job.inputs.images.at(static_cast<std::size_t>(shot.image)));
  hash.field(job.inputs.mask && shot.image == 0 ? job.inputs.mask->sha256 : "");
}

void add_shots(Sha256& hash, const RenderJob& job, const plan::Timeline& timeline,
               const plan::FrameSpan& range) {
  for (const plan::Shot& shot : timeline.shots) {
    if (plan::may_show(timeline, shot, range)) add_shot(hash, job, shot);
  }
}

// Text, where it stands, and all that it is shown over, in other segments too: its scrim depends on
// that.
void add_caption(Sha256& hash, const RenderJob& job, const plan::Timeline& timeline,
                 const CaptionLayout& captions, std::size_t index) {
  const plan::FrameSpan& shown = timeline.captions.at(index).frames;
  hash.field(job.spec.captions_plan.timings.at(index).text);
  hash.field(std::to_string(captions.size_px));
  add_place(hash, captions.captions.at(index).place);
  add_span(hash, shown);
  add_shots(hash, job, timeline, shown);
}

}  // namespace

std::string content_key(const RenderJob& job, const plan::Timeline& timeline,
                        const CaptionLayout& captions, int segment, const ImageMaker& maker) {
  Sha256 hash;
  hash.field("pytoon segment " + std::to_string(kRenderVersion));
  hash.field(maker.device_kind);
  hash.field(maker.encoder_fingerprint);
  hash.field(maker.fonts_fingerprint);
  add_look(hash, job, captions);
  const plan::FrameSpan& frames = timeline.segments.at(static_cast<std::size_t>(segment));
  add_span(hash, frames);
  add_shots(hash, job, timeline, frames);
  for (std::size_t i = 0; i < timeline.captions.size(); ++i) {
    if (!plan::overlap(timeline.captions[i].frames, frames)) continue;
    add_caption(hash, job, timeline, captions, i);
  }
  return hash.hex();
}

std::string caption_sheet_key(const RenderJob& job, const std::string& fonts_fingerprint) {
  const nlohmann::ordered_json spec = spec::to_json(job.spec);
  Sha256 hash;
  hash.field(fonts_fingerprint);
  for (const char* name : {"archetype", "captions_plan", "constraints", "style"}) {
    hash.field(json_text(spec.at(name)));
  }
  const spec::Output& output = job.spec.output;
  hash.field(std::to_string(output.width) + "x" + std::to_string(output.height) + " " +
             std::to_string(output.fps));
  return "captions " + hash.hex();
}

std::string caption_key(const RenderJob& job, const plan::Timeline& timeline,
                        const CaptionLayout& captions, int caption,
                        const std::string& fonts_fingerprint) {
  Sha256 hash;
  hash.field(fonts_fingerprint);
  hash.field(plan::plays_clips(job.spec, timeline) ? "clips" : "");
  add_look(hash, job, captions);
  add_caption(hash, job, timeline, captions, static_cast<std::size_t>(caption));
  return "caption " + hash.hex();
}

}  // namespace pytoon::render
