// The name of a segment's bytes: a hash of everything that decides them. Two segments with one key
// are interchangeable, so a finished one is never rendered twice, not even for another job.
//
// Of the captions only those that the segment shows are in its key, as they are laid out: another
// text elsewhere changes it only where it moves them (one size and one baseline for all) or an
// overlay's product (their rows are reserved). Pure.
#pragma once

#include <string>

#include "pipeline/plan/timeline.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

// What the machine and the build contribute.
struct ImageMaker {
  std::string device_kind;
  std::string encoder_fingerprint;
  std::string fonts_fingerprint;
};

// Raise when the same spec would be drawn differently.
inline constexpr int kRenderVersion = 5;

// job: hashes are needed of what plan::decided_by() says. captions: the job's.
std::string content_key(const RenderJob& job, const plan::Timeline& timeline,
                        const CaptionLayout& captions, int segment, const ImageMaker& maker);

// Names the layout of all captions, for caches in this process.
std::string caption_sheet_key(const RenderJob& job, const std::string& fonts_fingerprint);
// Likewise one caption with its scrim, which depends on all it is shown over.
std::string caption_key(const RenderJob& job, const plan::Timeline& timeline,
                        const CaptionLayout& captions, int caption,
                        const std::string& fonts_fingerprint);

}  // namespace pytoon::render
