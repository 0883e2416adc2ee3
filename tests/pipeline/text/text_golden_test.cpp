// The hard set of scripts as it looked when the pictures were last looked at: shapes, joins, marks
// and order, which counts of ink can't tell.
//
// PYTOON_RENEW_GOLDENS=1 writes the pictures anew; look at each before it is kept.
#include <cstdlib>

#include "pipeline/media/image/image_file.h"
#include "tests/pipeline/text/text_fixture.h"
#include "tests/support/source_dir.h"

namespace pytoon::media {
namespace {

struct Script {
  const char* name;
  const char* text;
  const char* family = "Inter";
  gpu::Size box{520, 150};
};

constexpr const char* kVietnamese = "Tiếng Việt: Ế ặ ỗ Ữ ợ Ằ đẹp";

constexpr Script kScripts[] = {
    {"khmer", "សួស្តី ពិភពលោក ក្រុមហ៊ុន"},
    {"lao", "ສະບາຍດີ ຊາວໂລກ ນ້ຳເຜິ້ງ"},
    {"burmese", "မင်္ဂလာပါ ကမ္ဘာလောက ကြွေး"},
    {"tibetan", "བཀྲ་ཤིས་བདེ་ལེགས། འཇིག་རྟེན"},
    {"amharic", "ሰላም ለዓለም ኢትዮጵያ"},
    {"tamil", "வணக்கம் உலகம் கொள்கை ஸ்ரீ"},
    {"urdu", "اردو میں خوش آمدید پاکستان"},
    {"urdu-lines", "گھنٹے بھر ٹھنڈا پانی\nOndelune 50% رعایت ہے۔", "Inter", {520, 260}},
    {"persian", "سلام دنیا، گلاب چین پژواک"},
    {"hebrew", "שָׁלוֹם עוֹלָם בְּרֵאשִׁית"},
    {"vietnamese-inter", kVietnamese},
    {"vietnamese-bebas", kVietnamese, "Bebas Neue"},
    {"vietnamese-impact", kVietnamese, "Impact"},
    {"vietnamese-arial-black", kVietnamese, "Arial Black"},
    {"vietnamese-montserrat", kVietnamese, "Montserrat"},
    {"digits-in-arabic", "السعر 1,250 ريال (خصم 30%) فقط"},
    {"latin-in-hebrew", "מבצע Ondelune 2026 עד 50% הנחה"},
    {"keycaps", "1️⃣ 2️⃣ #️⃣ *️⃣ 9️⃣"},
    {"tag-flags",
     "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿 "
     "🇫🇷 "
     "🇯🇵"},
};

class TextGolden : public TextTest {
 protected:
  // As a viewer sees it: over a colour that neither text nor emoji have.
  static gpu::RgbaImage shown(const gpu::RgbaImage& text) {
    constexpr int kGround[3] = {40, 60, 80};
    gpu::RgbaImage image = text;
    for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
      const int alpha = image.pixels[i + 3];
      for (std::size_t c = 0; c < 3; ++c) {
        const int mixed = (image.pixels[i + c] * alpha + kGround[c] * (255 - alpha) + 127) / 255;
        image.pixels[i + c] = static_cast<std::uint8_t>(mixed);
      }
      image.pixels[i + 3] = 255;
    }
    return image;
  }

  // How much of the picture differs clearly: what another rounding of a curve does not do, and
  // another letter does.
  static double differing_share(const gpu::RgbaImage& a, const gpu::RgbaImage& b) {
    constexpr int kClearly = 64;
    std::size_t differing = 0;
    for (std::size_t i = 0; i < a.pixels.size(); i += 4) {
      int most = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        most = std::max(most, std::abs(int{a.pixels[i + c]} - int{b.pixels[i + c]}));
      }
      differing += most > kClearly ? 1 : 0;
    }
    return static_cast<double>(differing) * 4 / static_cast<double>(a.pixels.size());
  }
};

TEST_F(TextGolden, TheHardSetLooksAsItDid) {
  const std::filesystem::path folder = support::source_dir() / "tests/golden/text";
  const bool renew = std::getenv("PYTOON_RENEW_GOLDENS") != nullptr;
  for (const Script& script : kScripts) {
    TextStyle style;
    style.family = script.family;
    style.size_px = 40;
    const Result<TextImage> drawn = draw(script.text, style, script.box);
    ASSERT_TRUE(drawn) << script.name << ": " << drawn.failure().detail;
    const gpu::RgbaImage image = shown(drawn->image);
    const std::filesystem::path file = folder / (std::string(script.name) + ".png");
    if (renew) {
      ASSERT_TRUE(write_png(image, file)) << file;
    }
    const auto golden = read_image(file);
    ASSERT_TRUE(golden) << golden.failure().detail;
    ASSERT_EQ(image.size, golden->size) << script.name;
    EXPECT_LE(differing_share(image, *golden), 0.002) << script.name;
  }
}

}  // namespace
}  // namespace pytoon::media
