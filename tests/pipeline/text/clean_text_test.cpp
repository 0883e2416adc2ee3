#include "pipeline/media/text/clean_text.h"

#include "tests/pipeline/text/text_fixture.h"

namespace pytoon::media {
namespace {

std::string cleaned(const std::string& text) {
  const Result<CleanText> clean = clean_text(text);
  return clean ? clean->utf8 : "refused: " + clean.failure().detail;
}

std::string language(const std::string& text) { return clean_text(text)->language; }

}  // namespace

TEST(CleanText, BreaksBecomeNewlinesAndSpacesAtEndsGo) {
  EXPECT_EQ(cleaned("a\r\nb\rc\u2028d\u0085e\vf"), "a\nb\nc\nd\ne\nf");
  EXPECT_EQ(cleaned("  a \t b  \n\n \n c \n"), "a   b\n\n\nc");
}

TEST(CleanText, ControlsAndOverridesGo) {
  EXPECT_EQ(cleaned(std::string("a\0b\x01\x1B[31mc\x7F", 12)), "ab[31mc");
  EXPECT_EQ(cleaned("\u202Eevil\u202C \u2066x\u2069 \uFEFFy"), "evil x y");
  EXPECT_EQ(cleaned("a\u200Db\u200Ec\u200Fd"), "a\u200Db\u200Ec\u200Fd")
      << "joiners and marks stay";
}

TEST(CleanText, AccentsAreComposedWithTheirLetters) {
  EXPECT_EQ(cleaned("Zu\u0308rich, \u0435\u0308\u0449, Mie\u0302\u0303n, A\u030Angstro\u0308m"),
            "Zürich, ёщ, Miễn, Ångström");
  EXPECT_EQ(cleaned("\u1100\u1161"), "가");
}

TEST(CleanText, WordsOfScriptsWithoutSpacesMayBreak) {
  EXPECT_EQ(cleaned("ສະບາຍດີຊາວໂລກ"), "ສະບາຍດີ\u200Bຊາວໂລກ");
  EXPECT_EQ(cleaned("a ລາວ 1ລ"), "a ລາວ 1ລ");
  EXPECT_EQ(cleaned("hello world"), "hello world");
}

TEST(CleanText, NothingVisibleIsRefused) {
  for (const char* text : {"", " \n\t", "\u200B", "\u202E\u202C", "\x01\x02"}) {
    EXPECT_EQ(clean_text(text).failure().kind, FailureKind::kInvalid);
  }
}

TEST(CleanText, BrokenUtf8IsRefused) {
  for (const char* text : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80"}) {
    EXPECT_EQ(cleaned(text), "refused: the text is not valid UTF-8");
  }
}

TEST(CleanText, NoncharactersAndPrivateUseAreNamed) {
  EXPECT_THAT(cleaned("x\uE000\uE000\uF8FF"), testing::HasSubstr("U+E000, U+F8FF"));
  EXPECT_THAT(cleaned("x\uFFFE"), testing::HasSubstr("U+FFFE"));
  EXPECT_THAT(cleaned("\U000F0000\U0010FFFD"), testing::HasSubstr("U+F0000, U+10FFFD"));
  EXPECT_EQ(name_code_points({1, 2, 3, 4, 5, 6}),
            "U+0001, U+0002, U+0003, U+0004, U+0005 and others");
}

TEST(CleanText, LanguageIsReadFromTheLetters) {
  EXPECT_EQ(language("Hello"), "en");
  EXPECT_EQ(language("漢字"), "zh-cn");
  EXPECT_EQ(language("漢字の"), "ja");
  EXPECT_EQ(language("漢字 한국"), "ko");
  EXPECT_EQ(language("漢字 ㄅ"), "zh-tw");
}

TEST(CleanText, UrduIsToldFromItsNeighbours) {
  for (const char* urdu : {"اردو میں خوش آمدید", "یہ نیا ہے", "ٹھنڈا پانی", "بڑا",
                           "نیا Ondelune ہے", "ਪੰਜਾਬੀ پنجابی اے"}) {
    EXPECT_EQ(language(urdu), "ur") << urdu;
  }
  for (const char* other : {"مرحبا بالعالم", "سلام دنیا، گلاب چین پاک ژاله",  // Arabic, Persian
                            "ښه راغلاست، ټول ډېر ړوند ے", "سنڌي ٻولي ٽيون",   // Pashto, Sindhi
                            "بەخێربێن ڕۆژ", "ئۇيغۇر تىلى ھەمدە"}) {           // Sorani, Uyghur
    EXPECT_EQ(language(other), "en") << other;
  }
}

TEST(CleanText, LengthIsBounded) {
  EXPECT_EQ(cleaned(std::string(kMaxCaptionCharacters, 'x')).size(), kMaxCaptionCharacters);
  EXPECT_THAT(cleaned(std::string(kMaxCaptionCharacters + 1, 'x')),
              testing::HasSubstr("at most 1000"));
}

}  // namespace pytoon::media
