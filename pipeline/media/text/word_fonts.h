// One word, one font: a word with a letter that the caption's own font lacks is set as a whole in
// the fonts that stand in for it, instead of borrowing that letter alone. Inside the room only.
#pragma once

#include <string>

#include "pipeline/media/text/pango_handles.h"

namespace pytoon::media {

// Adds to `attributes` what does that. own: the font that the words are to be set in; fallback: the
// families for others, a comma-separated list. Words end where letters do, and where their script
// changes: each half of "iPhone手机" has a font of its own.
void keep_words_in_one_font(const std::string& utf8, PangoFont* own, const std::string& fallback,
                            PangoAttrList* attributes);

}  // namespace pytoon::media
