#include "pipeline/media/text/private_fonts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/hash.h"
#include "base/text.h"
#include "pipeline/media/text/font_choice.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;

const FcChar8* fc(const std::string& text) {
  return reinterpret_cast<const FcChar8*>(text.c_str());
}

std::string text_of(const FcPattern* pattern, const char* object, int index = 0) {
  FcChar8* value = nullptr;
  if (FcPatternGetString(pattern, object, index, &value) != FcResultMatch) return "";
  return reinterpret_cast<const char*>(value);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

// The bold cut of Nastaliq calls itself regular; what the first rule makes of it is kept in the
// cache, which is why its folder has a number: another set of such rules has another one.
// Bitmap emoji come in one size; the last rule scales them to the size wanted. The rule before it
// must spare them: Cairo draws no bitmaps of a font that is antialiased and not hinted.
std::string configuration(const std::vector<fs::path>& folders, const fs::path& cache_dir) {
  std::string xml = "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>";
  for (const fs::path& folder : folders) xml += "<dir>" + escaped(folder.string()) + "</dir>";
  xml += "<cachedir>" + escaped((cache_dir / "1").string()) + "</cachedir>";
  xml += R"(
    <match target="scan">
      <test name="family"><string>)" +
         std::string(kNastaliq) + R"(</string></test>
      <test name="style"><string>Bold</string></test>
      <edit name="weight" mode="assign"><const>bold</const></edit>
    </match>
    <match target="pattern">
      <test name="family"><string>emoji</string></test>
      <edit name="family" mode="assign" binding="strong"><string>Noto Color Emoji</string></edit>
    </match>
    <match target="font">
      <test name="outline"><bool>true</bool></test>
      <edit name="antialias" mode="assign"><bool>true</bool></edit>
      <edit name="hinting" mode="assign"><bool>false</bool></edit>
      <edit name="autohint" mode="assign"><bool>false</bool></edit>
      <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
      <edit name="rgba" mode="assign"><const>none</const></edit>
      <edit name="lcdfilter" mode="assign"><const>lcdnone</const></edit>
    </match>
    <match target="font">
      <test name="outline"><bool>false</bool></test>
      <edit name="matrix" mode="assign"><times><name>matrix</name><matrix>
        <divide><name target="pattern">pixelsize</name><name target="font">pixelsize</name></divide>
        <double>0</double><double>0</double>
        <divide><name target="pattern">pixelsize</name><name target="font">pixelsize</name></divide>
      </matrix></times></edit>
    </match>
  </fontconfig>)";
  return xml;
}

// One family per script. Left out: other cuts of a script, and what is listed by itself.
bool serves_a_script(const std::string& family) {
  static constexpr std::string_view kOthers[] = {"CJK", "Mono", "Display", "Unjoined", "Tifinagh "};
  return family.starts_with("Noto Sans ") &&
         std::none_of(std::begin(kOthers), std::end(kOthers), [&](std::string_view word) {
           return family.find(word) != std::string::npos;
         });
}

// By language first; the others follow for characters that only they have.
std::vector<std::string> cjk_families(const std::string& language) {
  std::vector<std::string> families = {"Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK JP",
                                       "Noto Sans CJK KR"};
  const std::size_t first = language == "ja"      ? 2
                            : language == "ko"    ? 3
                            : language == "zh-tw" ? 1
                                                  : 0;
  std::swap(families[0], families[first]);
  return families;
}

}  // namespace

PrivateFonts::PrivateFonts(FcConfigPtr config) : config_(std::move(config)) {
  const FcFontSet* const fonts = FcConfigGetFonts(config_.get(), FcSetSystem);
  std::set<std::string> folded;
  std::set<std::string> scripts;
  for (int i = 0; fonts != nullptr && i < fonts->nfont; ++i) {
    std::string family;
    for (int n = 0; !(family = text_of(fonts->fonts[i], FC_FAMILY, n)).empty(); ++n) {
      folded.insert(lower_case(family));
    }
    family = text_of(fonts->fonts[i], FC_FAMILY);
    if (serves_a_script(family)) scripts.insert(family);
  }
  families_.assign(folded.begin(), folded.end());
  script_families_.assign(scripts.begin(), scripts.end());
  // It has a single letter of Tamil, which would stand out of its word.
  std::stable_partition(script_families_.begin(), script_families_.end(),
                        [](const std::string& family) { return family != "Noto Sans Grantha"; });
}

Result<PrivateFonts> PrivateFonts::open(const std::vector<fs::path>& folders,
                                        const fs::path& cache_dir) {
  std::error_code error;
  fs::create_directories(cache_dir / "1", error);
  if (error) return failure(FailureKind::kIo, "can't create " + cache_dir.string());
  FcConfigPtr config(FcConfigCreate());
  const std::string xml = configuration(folders, cache_dir);
  if (!config || FcConfigParseAndLoadFromMemory(config.get(), fc(xml), FcTrue) == FcFalse ||
      FcConfigBuildFonts(config.get()) == FcFalse) {
    return failure(FailureKind::kInternal, "fontconfig refuses our configuration");
  }
  PrivateFonts fonts(std::move(config));
  if (fonts.families_.empty()) {
    return failure(FailureKind::kNotFound,
                   "no fonts found; install fonts-inter fonts-noto-core "
                   "fonts-noto-cjk fonts-noto-color-emoji");
  }
  return fonts;
}

bool PrivateFonts::installed(const std::string& family) const {
  return std::binary_search(families_.begin(), families_.end(), lower_case(family));
}

std::vector<std::string> PrivateFonts::files(const std::string& family) const {
  const FcPatternPtr pattern(FcPatternCreate());
  if (!family.empty()) FcPatternAddString(pattern.get(), FC_FAMILY, fc(family));
  const FcObjectSetPtr wanted(FcObjectSetBuild(FC_FILE, nullptr));
  const FcFontSetPtr found(FcFontList(config_.get(), pattern.get(), wanted.get()));
  std::set<std::string> paths;
  for (int i = 0; found && i < found->nfont; ++i) paths.insert(text_of(found->fonts[i], FC_FILE));
  return {paths.begin(), paths.end()};
}

std::string PrivateFonts::fallback_families(const std::string& language) const {
  std::string families = "Noto Sans";
  if (language == "ur") families += std::string(",") + kNastaliq;
  for (const std::string& family : cjk_families(language)) families += "," + family;
  for (const std::string& family : script_families_) families += "," + family;
  return families + ",Noto Color Emoji";
}

std::string PrivateFonts::identity() const {
  const FcFontSet* const fonts = FcConfigGetFonts(config_.get(), FcSetSystem);
  std::vector<std::string> lines;
  for (int i = 0; i < fonts->nfont; ++i) {
    const FcPattern* const font = fonts->fonts[i];
    const fs::path file = text_of(font, FC_FILE);
    int version = 0;
    FcPatternGetInteger(font, FC_FONTVERSION, 0, &version);
    FcCharSet* coverage = nullptr;
    const bool covered = FcPatternGetCharSet(font, FC_CHARSET, 0, &coverage) == FcResultMatch;
    std::error_code unreadable;
    lines.push_back(file.filename().string() + " " + text_of(font, FC_FULLNAME) + " " +
                    std::to_string(fs::file_size(file, unreadable)) + " " +
                    std::to_string(version) + " " +
                    std::to_string(covered ? FcCharSetCount(coverage) : 0));
  }
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.field(line);
  return hash.hex();
}

}  // namespace pytoon::media
