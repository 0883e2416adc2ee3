#include "tests/pipeline/text/text_fixture.h"
#include "tests/support/source_dir.h"

#include <algorithm>

namespace pytoon::media {
namespace fs = std::filesystem;

fs::path TextTest::folder_;
std::unique_ptr<FontLibrary> TextTest::library_;

FontLibrary::Options TextTest::options() {
  return {{}, support::source_dir() / "config" / "fonts.yaml", folder_ / "cache"};
}

void TextTest::SetUpTestSuite() {
  std::string name = (fs::temp_directory_path() / "pytoon-text-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  Result<std::unique_ptr<FontLibrary>> library = FontLibrary::open(options());
  ASSERT_TRUE(library) << library.failure().detail;
  library_ = std::move(*library);
}

void TextTest::TearDownTestSuite() {
  library_.reset();
  fs::remove_all(folder_);
}

void expect_whole(const TextImage& picture, gpu::Size box, const std::string& what) {
  EXPECT_GT(picture.ink.width, 0) << what;
  EXPECT_GE(picture.ink.x, 0) << what;
  EXPECT_GE(picture.ink.y, 0) << what;
  EXPECT_LE(picture.ink.x + picture.ink.width, box.width) << what;
  EXPECT_LE(picture.ink.y + picture.ink.height, picture.image.size.height) << what;
  EXPECT_LE(picture.ink.height, box.height) << what;
  EXPECT_EQ(picture.image.size.width, box.width) << what;
}

int inked_pixels(const gpu::RgbaImage& image) {
  int count = 0;
  for (std::size_t i = 3; i < image.pixels.size(); i += 4) count += image.pixels[i] > 0 ? 1 : 0;
  return count;
}

int coloured_pixels(const gpu::RgbaImage& image) {
  int count = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    const std::uint8_t* const p = image.pixels.data() + i;
    const auto [low, high] = std::minmax({p[0], p[1], p[2]});
    count += p[3] > 128 && high - low > 60 ? 1 : 0;
  }
  return count;
}

}  // namespace pytoon::media
