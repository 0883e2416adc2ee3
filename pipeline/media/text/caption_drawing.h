// A caption laid out, as pixels by Cairo. Glyphs are filled as outlines, so they lie at exact
// fractions of a pixel and under the same edges as their outline. Inside the room only.
#pragma once

#include "base/result.h"
#include "pipeline/media/text/caption_layout.h"

namespace pytoon::media {

// Everything of the image but its pixels; ink from the fonts' own extents.
TextImage describe_caption(const CaptionLayout& caption, const CaptionOrder& order);
Result<TextImage> draw_caption(const CaptionLayout& caption, const CaptionOrder& order);

}  // namespace pytoon::media
