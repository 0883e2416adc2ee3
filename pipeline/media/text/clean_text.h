// A caption as it came, made fit for layout: valid UTF-8, '\n' the only break, no control
// characters, no explicit bidi embeddings, overrides or isolates (direction comes from the letters;
// LRM, RLM and ALM stay), lines without space at their ends, letters composed with their accents
// (NFC), and a zero-width space between the words of Khmer, Lao and Burmese. Inside the room only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::media {

// A caption holds far less; layout of this much stays within a tenth of a second.
inline constexpr std::size_t kMaxCaptionCharacters = 1000;

struct CleanText {
  std::string utf8;
  // BCP 47, by letters that few languages have: for the choice among Chinese, Japanese and Korean
  // shapes, and of Nastaliq for Urdu; else "en".
  std::string language;
};

// kInvalid: not UTF-8, nothing visible, too long, or a code point that no font may draw (private
// use, noncharacter), named in the detail.
Result<CleanText> clean_text(const std::string& utf8);

// "U+1F9FF, U+E000": at most five, then "and others".
std::string name_code_points(const std::vector<std::uint32_t>& code_points);

}  // namespace pytoon::media
