#include "pipeline/media/text/clean_text.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/text_breaks.h"

namespace pytoon::media {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

bool within(char32_t c, std::initializer_list<Range> ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](Range range) { return range.first <= c && c <= range.last; });
}

bool breaks_line(char32_t c) {
  return c == '\n' || c == '\r' || within(c, {{0x0B, 0x0C}, {0x85, 0x85}, {0x2028, 0x2029}});
}

bool dropped(char32_t c) {
  return within(c, {{0x00, 0x1F},
                    {0x7F, 0x9F},
                    {0x202A, 0x202E},
                    {0x2066, 0x2069},
                    {0x206A, 0x206F},
                    {0xFEFF, 0xFEFF},
                    {0xFFF9, 0xFFFB}});
}

bool undrawable(char32_t c) {
  return within(c, {{0xE000, 0xF8FF}, {0xFDD0, 0xFDEF}, {0xF0000, 0x10FFFF}}) ||
         (c & 0xFFFE) == 0xFFFE;
}

// Letters that Urdu has, and of all that write Arabic script few others: Punjabi and
// Kashmiri, which are set in Nastaliq as well.
bool of_urdu(char32_t c) {
  return within(c, {{0x0679, 0x0679},    // tteh
                    {0x0688, 0x0688},    // ddal
                    {0x0691, 0x0691},    // rreh
                    {0x06BA, 0x06BA},    // noon ghunna
                    {0x06C1, 0x06C3},    // heh goal
                    {0x06D2, 0x06D3}});  // yeh barree
}

// Letters of Pashto and Sindhi, which share some of those and are set in Naskh.
bool of_urdus_neighbours(char32_t c) {
  return within(c, {{0x067A, 0x067D},
                    {0x067F, 0x0680},
                    {0x0683, 0x0685},
                    {0x0689, 0x068D},
                    {0x0693, 0x0693},
                    {0x0696, 0x0696},
                    {0x0699, 0x069A},
                    {0x06A6, 0x06A6},
                    {0x06AA, 0x06AB},
                    {0x06B1, 0x06B3},
                    {0x06BB, 0x06BC},
                    {0x06CD, 0x06CD},
                    {0x06D0, 0x06D0}});
}

bool is_urdu(const std::vector<char32_t>& text) {
  return std::any_of(text.begin(), text.end(), of_urdu) &&
         std::none_of(text.begin(), text.end(), of_urdus_neighbours);
}

// Han alone is taken as simplified Chinese; kana, Hangul or Bopomofo beside it say otherwise.
std::string language_of(const std::vector<char32_t>& text) {
  bool han = false;
  for (const char32_t c : text) {
    if (within(c, {{0x3040, 0x30FF}, {0x31F0, 0x31FF}, {0xFF66, 0xFF9D}})) return "ja";
    if (within(c, {{0xAC00, 0xD7A3}, {0x1100, 0x11FF}, {0x3130, 0x318F}})) return "ko";
    if (within(c, {{0x3100, 0x312F}})) return "zh-tw";
    han = han || within(c, {{0x3000, 0x303F},
                            {0x3400, 0x9FFF},
                            {0xF900, 0xFAFF},
                            {0xFF00, 0xFFEF},
                            {0x20000, 0x3FFFD}});
  }
  if (han) return "zh-cn";
  return is_urdu(text) ? "ur" : "en";
}

std::vector<char32_t> decode(const std::string& utf8) {
  std::vector<char32_t> text;
  for (const char* at = utf8.data(); at < utf8.data() + utf8.size(); at = g_utf8_next_char(at)) {
    text.push_back(g_utf8_get_char(at));
  }
  return text;
}

void append(std::string& utf8, char32_t c) {
  std::array<char, 6> bytes{};
  utf8.append(bytes.data(), static_cast<std::size_t>(g_unichar_to_utf8(c, bytes.data())));
}

void trim_end(std::vector<char32_t>& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
}

// Spaces and breaks made plain; no line begins or ends with a space, no text with a break.
std::vector<char32_t> plain(const std::vector<char32_t>& text) {
  std::vector<char32_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const bool line_start = out.empty() || out.back() == '\n';
    if (breaks_line(c)) {
      if (c == '\n' && i > 0 && text[i - 1] == '\r') continue;
      trim_end(out);
      if (!out.empty()) out.push_back('\n');
    } else if (c == ' ' || c == '\t') {
      if (!line_start) out.push_back(' ');
    } else if (!dropped(c)) {
      out.push_back(c);
    }
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

bool visible(char32_t c) {
  return !g_unichar_isspace(c) && g_unichar_type(c) != G_UNICODE_FORMAT &&
         !within(c, {{0xFE00, 0xFE0F}, {0x115F, 0x1160}, {0x3164, 0x3164}, {0xE0000, 0xE0FFF}});
}

// Scripts whose lines Pango does not break between words by itself.
bool needs_dictionary(char32_t c) {
  return within(c, {{0x0E80, 0x0EFF},  // Lao
                    {0x1000, 0x109F},  // Burmese, with the next two
                    {0xA9E0, 0xA9FF},
                    {0xAA60, 0xAA7F},
                    {0x1780, 0x17FF}});  // Khmer
}

// A zero-width space wherever a line may begin between two letters of such a script.
std::string with_word_breaks(const std::string& utf8) {
  std::string marked;
  std::size_t begun = 0;
  for (const std::size_t bound : line_bounds(utf8)) {
    if (bound == 0 || bound == utf8.size()) continue;
    const char* const at = utf8.data() + bound;
    const bool inside = needs_dictionary(g_utf8_get_char(at)) &&
                        needs_dictionary(g_utf8_get_char(g_utf8_prev_char(at)));
    if (!inside) continue;
    marked.append(utf8, begun, bound - begun).append("\u200B");
    begun = bound;
  }
  return marked.append(utf8, begun);
}

// Letters and their accents as one character, where there is one (NFC): macOS and PDFs take them
// apart, and fonts without marks would draw the accent beside its letter.
std::string composed(const std::string& utf8) {
  const std::unique_ptr<char, decltype(&g_free)> text(
      g_utf8_normalize(utf8.data(), static_cast<gssize>(utf8.size()), G_NORMALIZE_NFC), g_free);
  return text ? std::string(text.get()) : utf8;
}

}  // namespace

std::string name_code_points(const std::vector<std::uint32_t>& code_points) {
  constexpr std::size_t kMost = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(code_points.size(), kMost); ++i) {
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "U+%04X", code_points[i]);
    names += (i == 0 ? "" : ", ") + std::string(name.data());
  }
  return code_points.size() > kMost ? names + " and others" : names;
}

Result<CleanText> clean_text(const std::string& utf8) {
  std::string bytes = utf8;
  std::erase(bytes, '\0');
  if (g_utf8_validate_len(bytes.data(), bytes.size(), nullptr) == 0) {
    return failure(FailureKind::kInvalid, "the text is not valid UTF-8");
  }
  const std::vector<char32_t> raw = decode(composed(bytes));
  if (raw.size() > kMaxCaptionCharacters) {
    return failure(FailureKind::kInvalid, "the text has " + std::to_string(raw.size()) +
                                              " characters; at most " +
                                              std::to_string(kMaxCaptionCharacters) + " are drawn");
  }
  const std::vector<char32_t> text = plain(raw);
  std::vector<std::uint32_t> strange;
  for (const char32_t c : text) {
    if (undrawable(c) && std::find(strange.begin(), strange.end(), c) == strange.end()) {
      strange.push_back(c);
    }
  }
  if (!strange.empty()) {
    return failure(FailureKind::kInvalid, "no font has a glyph for " + name_code_points(strange));
  }
  if (std::none_of(text.begin(), text.end(), visible)) {
    return failure(FailureKind::kInvalid, "the text has nothing visible in it");
  }
  CleanText clean;
  for (const char32_t c : text) append(clean.utf8, c);
  clean.utf8 = with_word_breaks(clean.utf8);
  clean.language = language_of(text);
  return clean;
}

}  // namespace pytoon::media
