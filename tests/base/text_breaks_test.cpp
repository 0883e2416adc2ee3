#include "base/text_breaks.h"

#include <gtest/gtest.h>

namespace pytoon {
namespace {

std::vector<std::string> pieces(const std::string& text, const std::vector<std::size_t>& bounds) {
  std::vector<std::string> parts;
  for (std::size_t i = 1; i < bounds.size(); ++i) {
    parts.push_back(text.substr(bounds[i - 1], bounds[i] - bounds[i - 1]));
  }
  return parts;
}

using Pieces = std::vector<std::string>;

}  // namespace

TEST(TextBreaks, CharactersAreWhatReadersCount) {
  const auto cut = [](const std::string& text) { return pieces(text, grapheme_bounds(text)); };
  EXPECT_EQ(cut("ab"), (Pieces{"a", "b"}));
  EXPECT_EQ(cut("a👩‍👩‍👧‍👦🇫🇷🇩🇪"),
            (Pieces{"a", "👩‍👩‍👧‍👦", "🇫🇷", "🇩🇪"}));
  EXPECT_EQ(cut("e\u0301x👋🏽1️⃣"), (Pieces{"e\u0301", "x", "👋🏽", "1️⃣"}));
  EXPECT_EQ(grapheme_bounds("").size(), 1U);
}

TEST(TextBreaks, LinesBeginAtWordsThatADictionaryKnows) {
  const auto cut = [](const std::string& text) { return pieces(text, line_bounds(text)); };
  EXPECT_EQ(cut("one two"), (Pieces{"one ", "two"}));
  EXPECT_EQ(cut("ສະບາຍດີຊາວໂລກ"), (Pieces{"ສະບາຍດີ", "ຊາວໂລກ"}));
  EXPECT_EQ(cut("សួស្តីពិភពលោក"), (Pieces{"សួស្តី", "ពិភពលោក"}));
  EXPECT_GT(cut("မင်္ဂလာပါကမ္ဘာလောက").size(), 1U);
}

TEST(TextBreaks, BrokenUtf8IsNoReasonToFail) {
  EXPECT_EQ(grapheme_bounds("a\xFF\xC3").back(), 3U);
  EXPECT_EQ(line_bounds("\xED\xA0\x80").back(), 3U);
}

}  // namespace pytoon
