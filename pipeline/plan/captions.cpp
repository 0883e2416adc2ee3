#include "pipeline/plan/captions.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "base/text_breaks.h"

namespace pytoon::plan {
namespace {

std::string trimmed(std::string_view text) { return std::string(trim(text, " \t\r\n")); }

bool is_blank_at(const std::string& utf8, std::size_t at) {
  constexpr std::string_view kIdeographicSpace = "\u3000";
  const std::string_view rest = std::string_view(utf8).substr(at);
  return rest.starts_with(' ') || rest.starts_with('\n') || rest.starts_with('\t') ||
         rest.starts_with(kIdeographicSpace);
}

}  // namespace

std::string cut_at_word(const std::string& utf8, std::size_t characters) {
  const std::vector<std::size_t> bounds = grapheme_bounds(utf8);
  if (bounds.size() <= characters + 1) return utf8;
  const std::size_t longest = bounds[characters];
  const std::size_t shortest = bounds[characters - characters / 3];
  std::size_t blank = shortest;
  for (std::size_t i = shortest; i <= longest; ++i) {
    if (is_blank_at(utf8, i)) blank = i;
  }
  if (is_blank_at(utf8, blank)) return trimmed(utf8.substr(0, blank)) + "…";
  // Without spaces: where a line may begin, which is between words where a dictionary knows them.
  const std::vector<std::size_t> lines = line_bounds(utf8);
  const auto later = std::upper_bound(lines.begin(), lines.end(), longest);
  const bool in_reach = later != lines.begin() && *(later - 1) >= shortest;
  return trimmed(utf8.substr(0, in_reach ? *(later - 1) : longest)) + "…";
}

spec::CaptionsPlan plan_captions(const spec::JobRequest& request, int target_seconds, int fps) {
  spec::CaptionsPlan plan;
  if (request.captions) {
    plan.hook = trimmed(request.captions->hook);
    for (const std::string& beat : request.captions->beats) plan.beats.push_back(trimmed(beat));
    plan.cta = trimmed(request.captions->cta);
  } else {
    plan.hook = cut_at_word(trimmed(request.prompt), kHookCharacters);
  }

  std::vector<std::string> shown;
  if (!plan.hook.empty()) shown.push_back(plan.hook);
  for (const std::string& beat : plan.beats) {
    if (!beat.empty()) shown.push_back(beat);
  }
  if (!plan.cta.empty()) shown.push_back(plan.cta);

  const auto frames = static_cast<std::size_t>(target_seconds * fps);
  const auto bound = [&](std::size_t i) {
    const std::size_t frame = (frames * i + shown.size() / 2) / shown.size();
    return static_cast<double>(frame) / fps;
  };
  for (std::size_t i = 0; i < shown.size(); ++i) {
    plan.timings.push_back({bound(i), bound(i + 1), shown[i]});
  }
  return plan;
}

}  // namespace pytoon::plan
