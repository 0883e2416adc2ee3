// Which text is shown when: hook, beats and call to action share the duration evenly, without gaps,
// bounds on frames.
#pragma once

#include <string>

#include "pipeline/spec/job_request.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::plan {

inline constexpr std::size_t kHookCharacters = 60;

spec::CaptionsPlan plan_captions(const spec::JobRequest& request, int target_seconds, int fps);

// At most about `characters` code points of UTF-8, cut at the last blank before, with an ellipsis.
// A single word longer than that is cut within.
std::string cut_at_word(const std::string& utf8, std::size_t characters);

}  // namespace pytoon::plan
