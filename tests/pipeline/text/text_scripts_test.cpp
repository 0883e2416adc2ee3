#include "tests/pipeline/text/text_fixture.h"

namespace pytoon::media {

class TextScripts : public TextTest {};

TEST_F(TextScripts, TheHardSetIsDrawnWholeWithoutMissingGlyphs) {
  const std::vector<std::string> texts = {
      "The quick brown fox jumps over the lazy dog near the river",
      "One line\nTwo lines here\nThree lines",
      "مرحبا بالعالم، هذا نص عربي طويل مُشَكَّل",
      "नमस्ते दुनिया, यह क्षत्रिय हिन्दी र्कीं पाठ है",
      "สวัสดีชาวโลก ที่นี่มีน้ำผึ้งและกี้ก็้ ปิ่นโตชั้นดี",
      "你好，世界！这是一个产品视频的中文字幕测试",
      "こんにちは世界、これは日本語の字幕テストです",
      "안녕하세요 세계, 한국어 자막 테스트입니다",
      "Wow 👋🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 ❤️ ☺ 1️⃣ emoji "
      "😀!",
      "Pneumonoultramicroscopicsilicovolcanoconio",
      "Ágy שלום עולם and 漢字 mixed नमस्ते 🎉 text عربي 123",
      "Tiếng Việt: Ế ặ ỗ Ǻ Ả; Ελληνικά; Русский; ქართული; Հայերեն; አማርኛ",
      "বাংলা தமிழ் తెలుగు ಕನ್ನಡ മലയാളം ગુજરાતી ਪੰਜਾਬੀ සිංහල ខ្មែរ ລາວ မြန်မာ བོད་ཡིག",
      "€100 → ½ price™ “now” … №5 © ∞ ≤ ★ ✓"};
  for (const char* family : {"Inter", "Bebas Neue", "Impact", "Arial Black", "Montserrat"}) {
    for (const std::string& text : texts) {
      TextStyle style;
      style.family = family;
      const bool full = style.family == "Inter";  // effects are slow and the same for all
      style.outline_px = full ? 3 : 0;
      style.shadow_sigma_px = full ? 6 : 0;
      const Result<TextImage> picture = draw(text, style);
      ASSERT_TRUE(picture) << text << ": " << picture.failure().detail;
      expect_whole(*picture, kBox, text);
    }
  }
}

TEST_F(TextScripts, TheBaselineDoesNotMoveWithTheLetters) {
  const Result<TextImage> first = draw("nnn");
  ASSERT_TRUE(first);
  for (const char* text : {"Ágy", "漢", "กี้ก็้", "هذا", "😀", "...", "Ế"}) {
    const Result<TextImage> other = draw(text);
    ASSERT_TRUE(other) << text;
    EXPECT_EQ(other->first_baseline_px, first->first_baseline_px) << text;
    EXPECT_EQ(other->line_pitch_px, first->line_pitch_px) << text;
  }
  EXPECT_NEAR(first->ink.y + first->ink.height, first->first_baseline_px, 2)
      << "n stands on the baseline";
}

TEST_F(TextScripts, EveryBaselineIsAMultipleOfThePitch) {
  const Result<TextImage> lines = draw("nnn\n漢字 😀\nnnn");
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->lines, 3);
  EXPECT_EQ(lines->line_pitch_px, 67);  // 56 * 1.2
  const int last_baseline = lines->first_baseline_px + 2 * lines->line_pitch_px;
  EXPECT_NEAR(lines->ink.y + lines->ink.height, last_baseline, 2);
}

TEST_F(TextScripts, EmojiAreSingleColourGlyphs) {
  const auto width = [](const char* text) { return draw(text)->ink.width; };
  const int one = width("😀");
  EXPECT_NEAR(one, 66, 6) << "scaled to the text";
  EXPECT_NEAR(width("👋🏽"), one, 16) << "skin tone joins";
  EXPECT_NEAR(width("👨‍👩‍👧‍👦"), one, 16) << "a family is one picture";
  EXPECT_NEAR(width("🇫🇷"), one, 16) << "a flag is one picture";
  EXPECT_GT(coloured_pixels(draw("😀")->image), 1000);
  EXPECT_EQ(coloured_pixels(draw("nnn")->image), 0);
}

TEST_F(TextScripts, EmojiHaveNoOutline) {
  TextStyle outlined;
  outlined.outline_px = 8;
  const Result<TextImage> plain = draw("😀");
  const Result<TextImage> other = draw("😀", outlined);
  EXPECT_EQ(inked_pixels(plain->image), inked_pixels(other->image));
}

TEST_F(TextScripts, RightToLeftRunsFromTheRight) {
  // The first word is far longer; in Hebrew it stands at the right.
  const Result<TextImage> hebrew = draw("שלוםשלוםשלום .");
  const Result<TextImage> latin = draw("nnnnnnnnnnnnn .");
  const auto dot_at_left = [](const TextImage& p) {
    int low = 0;  // rows above the dot are empty on its side
    for (int x = p.ink.x; x < p.ink.x + p.ink.width / 20; ++x) {
      for (int y = p.ink.y; y < p.ink.y + p.ink.height / 2; ++y) low += p.image.at(x, y)[3];
    }
    return low == 0;
  };
  EXPECT_TRUE(dot_at_left(*hebrew));
  EXPECT_FALSE(dot_at_left(*latin));
}

TEST_F(TextScripts, ArabicLettersAreJoined) {
  EXPECT_NE(draw("ههه")->ink.width, draw("ه\u200Cه\u200Cه")->ink.width) << "ZWNJ keeps them apart";
}

TEST_F(TextScripts, HanHasItsLanguagesShape) {
  const Result<TextImage> chinese = draw("直\n一");
  const Result<TextImage> japanese = draw("直\nの");
  const auto first_line = [](const TextImage& p) {
    PagedBytes pixels;
    for (int y = 0; y < p.first_baseline_px; ++y) {
      for (int x = 0; x < p.image.size.width; ++x) pixels.push_back(p.image.at(x, y)[3]);
    }
    return pixels;
  };
  EXPECT_NE(first_line(*chinese), first_line(*japanese));
}

TEST_F(TextScripts, TakenApartLettersLookAsOthers) {
  for (const char* family : {"Bebas Neue", "Impact", "Montserrat", "Inter"}) {
    TextStyle style;
    style.family = family;
    const auto composed = draw("Zürich, ещё, Miễn, Čeština", style);
    const auto apart =
        draw("Zu\u0308rich, еще\u0308, Mie\u0302\u0303n, C\u030Ces\u030Ctina", style);
    ASSERT_TRUE(composed && apart);
    EXPECT_EQ(composed->image.pixels, apart->image.pixels) << family;
  }
}

// Bebas Neue lacks some letters of Vietnamese: the word is set in one font, with its neighbours in
// their own.
TEST_F(TextScripts, AWordIsSetInOneFont) {
  TextStyle bebas;
  bebas.family = "Bebas Neue";
  TextStyle fallback;
  fallback.family = "Noto Sans";
  fallback.weight = bebas.weight;
  const auto width = [](const char* text, const TextStyle& style) {
    return draw(text, style)->ink.width;
  };
  EXPECT_EQ(width("Miễn", bebas), width("Miễn", fallback));
  EXPECT_NE(width("Mien", bebas), width("Mien", fallback));
  EXPECT_EQ(width("Mien 漢字", bebas) - width("漢字", bebas) > width("Mien", fallback), false);
}

TEST_F(TextScripts, ScriptsWithoutSpacesBreakBetweenWords) {
  const std::vector<std::string> texts = {
      "ក្រែមបំប៉នស្បែកមុខថ្មីពីសមុទ្រជួយឱ្យស្បែកមានសំណើមពេញមួយថ្ងៃសម្រាប់គ្រប់ប្រភេទស្បែក",
      "ຄຣີມບຳລຸງຜິວໜ້າສູດໃໝ່ຈາກທະເລຊ່ວຍໃຫ້ຜິວຊຸ່ມຊື່ນຍາວນານຕະຫຼອດມື້",
      "မင်္ဂလာပါကမ္ဘာလောကကျွန်ုပ်တို့၏ထုတ်ကုန်အသစ်ကိုယနေ့ပင်စမ်းသပ်ကြည့်ပါ",
      "ครีมบำรุงผิวหน้าสูตรใหม่จากทะเลช่วยให้ผิวชุ่มชื้นยาวนานตลอดทั้งวัน"};
  for (const std::string& text : texts) {
    const auto picture = draw(text);
    ASSERT_TRUE(picture) << picture.failure().detail;
    EXPECT_EQ(picture->size_px, TextStyle{}.size_px) << text;
    EXPECT_GT(picture->lines, 1) << text;
    EXPECT_LT(picture->lines, 5) << text;
  }
}

// As tall as Urdu gets: words that begin high above the line and end far below it.
constexpr const char* kTallUrdu[] = {"گھٹنٹھپٹے",   "سمجھتیں ٹیکنیکی", "کھٹکھٹائیے گے",
                                     "پہنچتے ہیں۔", "نستعلیق گگگے",    "ٹھٹھےبے یں"};

TEST_F(TextScripts, UrduIsSetInNastaliqAndOthersInNaskh) {
  EXPECT_EQ(draw("یہ نیا ہے")->line_pitch_px, 2 * TextStyle{}.size_px);
  for (const char* naskh : {"سلام دنیا، گلاب", "مرحبا بالعالم", "ښه راغلاست ټول"}) {
    EXPECT_EQ(draw(naskh)->line_pitch_px, 67) << naskh;
  }
  TextStyle light;
  light.weight = 400;
  EXPECT_GT(inked_pixels(draw("یہ نیا ہے")->image),
            inked_pixels(draw("یہ نیا ہے", light)->image) * 5 / 4)
      << "bold is bold";
}

TEST_F(TextScripts, LinesOfNastaliqKeepApart) {
  for (const char* family : {"Inter", "Bebas Neue", "Impact"}) {
    TextStyle style;
    style.family = family;
    for (const char* above : kTallUrdu) {
      for (const char* below : kTallUrdu) {
        const auto text = draw(std::string(above) + "\n" + below, style);
        ASSERT_TRUE(text) << text.failure().detail;
        expect_whole(*text, kBox, above);
        const int apart =
            inked_pixels(draw(above, style)->image) + inked_pixels(draw(below, style)->image);
        EXPECT_EQ(inked_pixels(text->image), apart) << above << " over " << below;
      }
    }
  }
}

TEST_F(TextScripts, NastaliqShrinksIntoItsBox) {
  const std::string text = "گھنٹے بھر ٹھنڈا پانی پہنچتے ہیں سمجھتیں کھٹکھٹائیے ہے";
  TextStyle style;
  style.outline_px = 4;
  for (const gpu::Size box : {gpu::Size{900, 400}, gpu::Size{420, 400}, gpu::Size{500, 210}}) {
    const auto drawn = draw(text, style, box);
    ASSERT_TRUE(drawn) << box.width << ": " << drawn.failure().detail;
    expect_whole(*drawn, box, text);
    TextStyle roomier = style;  // whose image has a margin around all ink
    roomier.shadow_sigma_px = 4;
    roomier.shadow_opacity = 0;
    EXPECT_EQ(inked_pixels(draw(text, roomier, box)->image), inked_pixels(drawn->image))
        << "nothing is cut off";
    const auto measured = library_->measure(text, style, box);
    EXPECT_EQ(measured->line_pitch_px, drawn->line_pitch_px);
    EXPECT_EQ(measured->size_px, drawn->size_px);
  }
  EXPECT_LT(draw(text, style, {500, 210})->size_px, style.size_px);
}

TEST_F(TextScripts, AGlyphThatNoFontHasIsNamed) {
  const Result<TextImage> private_use = draw("price \uE000 only");
  ASSERT_FALSE(private_use);
  EXPECT_EQ(private_use.failure().kind, FailureKind::kInvalid);
  EXPECT_THAT(private_use.failure().detail, testing::HasSubstr("U+E000"));
  EXPECT_TRUE(private_use.failure().faults.empty());
  const Result<TextImage> unassigned = draw("a \U0001F8FF b \u0378");
  ASSERT_FALSE(unassigned);
  EXPECT_THAT(unassigned.failure().detail, testing::HasSubstr("U+1F8FF, U+0378"));
  EXPECT_EQ(library_->measure("\U0001F8FF", {}, kBox).failure().kind, FailureKind::kInvalid);
}

}  // namespace pytoon::media
