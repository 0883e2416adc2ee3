// How people, logs and metrics are told that GPU memory was exhausted: a failure whose reason
// begins with one word, whoever noticed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "server/jobs/admission/decision.h"

namespace pytoon::worker {

// The detail, led by the word; as it is when it has it already.
inline std::string vram_exhausted_text(std::string detail) {
  constexpr std::string_view kLead = "vram_exhausted: ";
  if (!detail.starts_with(kLead)) detail.insert(0, kLead);
  return detail;
}

// kOutOfMemory, with the sizes.
inline Failure vram_exhausted(const jobs::admission::Decision& decision) {
  return failure(FailureKind::kOutOfMemory, vram_exhausted_text(sentence(decision)));
}

}  // namespace pytoon::worker
