#include "pipeline/plan/captions.h"

#include "base/text.h"

namespace pytoon::plan {
namespace {

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

std::string trimmed(std::string_view text) { return std::string(trim(text, " \t\r\n")); }

}  // namespace

std::string cut_at_word(const std::string& utf8, std::size_t characters) {
  std::size_t count = 0;
  std::size_t last_blank = std::string::npos;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (!starts_character(utf8[i])) continue;
    if (count == characters) {
      const bool at_word = utf8[i] == ' ';
      const std::size_t end = !at_word && last_blank != std::string::npos ? last_blank : i;
      return trimmed(utf8.substr(0, end)) + "…";
    }
    if (utf8[i] == ' ') last_blank = i;
    ++count;
  }
  return utf8;
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
