// The captions of a whole job, laid out together: one size for all, one baseline for all, so that
// nothing jumps from one caption to the next. Text only; what lies behind it is scrim.h's.
//
// Thread rule: immutable once made.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/text/text.h"
#include "pipeline/plan/timeline.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::render {

struct Caption {
  plan::FrameSpan frames;
  gpu::RgbaImage text;  // glyphs, outline and shadow
  gpu::Rect place;      // of `text` on the frame
  gpu::Rect ink;        // glyphs and outline on the frame
};

struct CaptionLayout {
  std::vector<Caption> captions;  // in the order of the spec's timings
  int size_px = 0;                // em size used for all
  // The rows that captions take in all, ink only: what a product must keep clear of. Empty: none.
  gpu::Rect reserved;
};

media::TextStyle text_style(const spec::RenderSpec& spec);

// kInvalid with a fault for each caption that does not fit or lacks a glyph; pointers into the job
// request.
Status check_captions(const spec::RenderSpec& spec, const media::FontLibrary& fonts);
Result<CaptionLayout> lay_out_captions(const spec::RenderSpec& spec,
                                       const media::FontLibrary& fonts);

}  // namespace pytoon::render
