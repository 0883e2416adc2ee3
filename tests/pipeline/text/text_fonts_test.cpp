#include <fstream>

#include "pipeline/media/text/font_choice.h"
#include "tests/pipeline/text/text_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;

class TextFonts : public TextTest {
 protected:
  fs::path write(const std::string& yaml) const {
    std::ofstream(folder_ / "fonts.yaml") << yaml;
    return folder_ / "fonts.yaml";
  }
  // A folder with copies of one family's files.
  fs::path folder_of(const std::string& name, const fs::path& from) const {
    fs::create_directories(folder_ / name);
    for (const auto& entry : fs::directory_iterator(from)) {
      fs::copy_file(entry.path(), folder_ / name / entry.path().filename(),
                    fs::copy_options::overwrite_existing);
    }
    return folder_ / name;
  }
};

TEST_F(TextFonts, AnInstalledFamilyIsUsedItself) {
  EXPECT_EQ(library_->substitution("Inter"), std::nullopt);
  EXPECT_EQ(library_->substitution("bebas neue"), std::nullopt) << "without regard to case";
}

TEST_F(TextFonts, AFamilyThatIsNotIsStated) {
  for (const char* family : {"Impact", "Arial Black", "Montserrat"}) {
    const std::optional<FontSubstitution> used = library_->substitution(family);
    ASSERT_TRUE(used.has_value()) << family;
    EXPECT_EQ(used->wanted, family);
    EXPECT_NE(used->used, family);
  }
  EXPECT_EQ(library_->substitution("No Such Family")->used, "Inter");
}

TEST_F(TextFonts, TheStandInDecidesThePixels) {
  TextStyle impact;
  impact.family = "Impact";
  TextStyle unknown;
  unknown.family = "No Such Family";
  EXPECT_NE(draw("Text", impact)->image.pixels, draw("Text")->image.pixels);
  EXPECT_EQ(draw("Text", unknown)->image.pixels, draw("Text")->image.pixels);
}

TEST_F(TextFonts, NothingIsMissingHere) {
  EXPECT_THAT(library_->missing_families(), testing::IsEmpty());
}

TEST_F(TextFonts, WhatIsMissingIsNamedWithItsPackage) {
  FontLibrary::Options few = options();
  few.font_dirs = {folder_of("inter", "/usr/share/fonts/opentype/inter")};
  const Result<std::unique_ptr<FontLibrary>> library = FontLibrary::open(few);
  ASSERT_TRUE(library) << library.failure().detail;
  EXPECT_THAT((*library)->missing_families(),
              testing::Contains("Noto Color Emoji (Debian package fonts-noto-color-emoji)"));
  EXPECT_EQ((*library)->substitution("Inter"), std::nullopt);
  const Result<TextImage> han = (*library)->draw("漢", {}, kBox);
  ASSERT_FALSE(han) << "fonts outside the folders given are not seen";
  EXPECT_THAT(han.failure().detail, testing::HasSubstr("U+6F22"));
  EXPECT_EQ((*library)->draw("nnn", {}, kBox)->image.pixels, draw("nnn")->image.pixels);
}

TEST_F(TextFonts, NoFontsAtAllIsAFailureWithARemedy) {
  FontLibrary::Options none = options();
  none.font_dirs = {folder_ / "nowhere"};
  const Result<std::unique_ptr<FontLibrary>> library = FontLibrary::open(none);
  ASSERT_FALSE(library);
  EXPECT_THAT(library.failure().detail, testing::HasSubstr("fonts-noto-core"));
}

TEST_F(TextFonts, FingerprintsTellFamiliesAndFontSetsApart) {
  EXPECT_EQ(library_->fingerprint("Inter"), library_->fingerprint("Inter"));
  EXPECT_NE(library_->fingerprint("Inter"), library_->fingerprint("Impact"));
  EXPECT_EQ(library_->fingerprint("Inter").size(), 64U);
  FontLibrary::Options few = options();
  few.font_dirs = {folder_of("inter", "/usr/share/fonts/opentype/inter")};
  const auto library = std::move(*FontLibrary::open(few));
  EXPECT_NE(library->fingerprint("Inter"), library_->fingerprint("Inter"));
}

TEST_F(TextFonts, WhereTheFontsLieDoesNotMatter) {
  FontLibrary::Options here = options();
  here.font_dirs = {"/usr/share/fonts/opentype/inter"};
  FontLibrary::Options there = options();
  there.font_dirs = {folder_of("elsewhere", "/usr/share/fonts/opentype/inter")};
  const auto one = std::move(*FontLibrary::open(here));
  const auto two = std::move(*FontLibrary::open(there));
  EXPECT_EQ(one->fingerprint("Inter"), two->fingerprint("Inter"));
}

TEST_F(TextFonts, ABrokenTableNamesTheEntry) {
  const auto detail = [this](const std::string& yaml) {
    const Result<FontTable> table = read_font_table(write(yaml));
    return table ? std::string("read") : table.failure().detail;
  };
  EXPECT_EQ(detail("required: []\nsubstitutes: []\n"), "read");
  EXPECT_THAT(detail("substitutes: []\n"), testing::HasSubstr("'required'"));
  EXPECT_THAT(detail("required: []\nsubstitutes:\n  - {wanted: A, package: p}\n"),
              testing::HasSubstr("substitutes[0]"));
  EXPECT_THAT(detail("required: []\nsubstitutes:\n"
                     "  - {wanted: A, use: {family: B, weight: heavy}, package: p}\n"),
              testing::HasSubstr("use.weight"));
  EXPECT_THAT(detail("required: []\nsubstitutes:\n"
                     "  - {wanted: A, use: {family: B, stretch: thin}, package: p}\n"),
              testing::HasSubstr("use.stretch"));
  FontLibrary::Options missing = options();
  missing.fonts_yaml = folder_ / "none.yaml";
  EXPECT_EQ(FontLibrary::open(missing).failure().kind, FailureKind::kNotFound);
}

}  // namespace pytoon::media
