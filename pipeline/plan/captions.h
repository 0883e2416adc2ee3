// Which text is shown when: hook, beats and call to action share the duration evenly, without gaps,
// bounds on frames.
#pragma once

#include <string>

#include "pipeline/spec/job_request.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::plan {

inline constexpr std::size_t kHookCharacters = 60;

spec::CaptionsPlan plan_captions(const spec::JobRequest& request, int target_seconds, int fps);

// At most `characters` characters as a reader counts them (grapheme clusters), with an ellipsis:
// cut at the last blank of the last third; where there is none, before the last word there, as far
// as a dictionary knows words; a longer word is cut within, but never a character.
std::string cut_at_word(const std::string& utf8, std::size_t characters);

}  // namespace pytoon::plan
