#include "pipeline/media/text/word_fonts.h"

#include <glib.h>

namespace pytoon::media {
namespace {

bool belongs_to_letters(gunichar c) {
  return g_unichar_isalpha(c) || g_unichar_ismark(c) || c == '\'' || c == 0x2019 || c == 0x00AD;
}

// Accents and apostrophes have the script of the letters around them.
bool continues(GUnicodeScript word, GUnicodeScript next) {
  const auto open = [](GUnicodeScript script) {
    return script == G_UNICODE_SCRIPT_COMMON || script == G_UNICODE_SCRIPT_INHERITED;
  };
  return open(word) || open(next) || word == next;
}

struct Word {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool whole = true;  // the own font has all of its letters
};

// Begins with a letter: marks behind a digit or a symbol make an emoji of it, such as a keycap.
Word next_word(const char* at, const char* end, PangoFont* own) {
  while (at < end && !g_unichar_isalpha(g_utf8_get_char(at))) at = g_utf8_next_char(at);
  Word word{at, at, true};
  GUnicodeScript script = G_UNICODE_SCRIPT_COMMON;
  for (; word.end < end; word.end = g_utf8_next_char(word.end)) {
    const gunichar c = g_utf8_get_char(word.end);
    const GUnicodeScript own_script = g_unichar_get_script(c);
    if (!belongs_to_letters(c) || !continues(script, own_script)) break;
    if (script == G_UNICODE_SCRIPT_COMMON || script == G_UNICODE_SCRIPT_INHERITED) {
      script = own_script;
    }
    word.whole = word.whole && pango_font_has_char(own, c) != FALSE;
  }
  return word;
}

}  // namespace

void keep_words_in_one_font(const std::string& utf8, PangoFont* own, const std::string& fallback,
                            PangoAttrList* attributes) {
  const char* const begin = utf8.data();
  const char* const end = begin + utf8.size();
  for (Word word = next_word(begin, end, own); word.begin < end;
       word = next_word(word.end, end, own)) {
    if (word.whole) continue;
    PangoAttribute* const family = pango_attr_family_new(fallback.c_str());
    family->start_index = static_cast<guint>(word.begin - begin);
    family->end_index = static_cast<guint>(word.end - begin);
    pango_attr_list_insert(attributes, family);
  }
}

}  // namespace pytoon::media
