// A caption broken into lines at the largest size that fits its box. Inside the room only.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/media/text/clean_text.h"
#include "pipeline/media/text/font_choice.h"
#include "pipeline/media/text/pango_handles.h"
#include "pipeline/media/text/text.h"

namespace pytoon::media {

struct CaptionOrder {
  CleanText text;
  FontChoice font;
  std::string fallback;  // the families for glyphs that the font lacks
  TextStyle style;
  gpu::Size box;
};

// Ink in px with the outline; x from the box's left edge, y from the first baseline, down.
struct InkExtent {
  double left = 0;
  double right = 0;
  double top = 0;
  double bottom = 0;
};

struct CaptionLayout {
  PangoLayoutPtr layout;
  std::vector<double> starts_px;  // where each line's origin lies, from the box's left edge
  InkExtent ink;
  int size_px = 0;
  int line_pitch_px = 0;
};

// Failures as FontLibrary::draw() says.
Result<CaptionLayout> fit_caption(PangoContext* context, const CaptionOrder& order);

// Whether a font draws its glyphs in its own colours.
bool has_colours(PangoFont* font);

}  // namespace pytoon::media
