#include "tests/pipeline/image/odd_images.h"

#include <cstdlib>
#include <fstream>
#include <random>

#include "pipeline/media/image/image_library.h"

namespace pytoon::media {
namespace fs = std::filesystem;

void ImageTest::SetUp() {
  ASSERT_TRUE(start_image_library());
  std::string name = (fs::temp_directory_path() / "pytoon-image-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
}

void ImageTest::TearDown() { fs::remove_all(folder_); }

fs::path ImageTest::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path(name), std::ios::binary) << bytes;
  return path(name);
}

fs::path ImageTest::save(const gpu::RgbaImage& picture, const std::string& name,
                         const std::function<int(VipsImage*, const char*)>& save) const {
  const VipsImagePtr image = borrow(picture);
  EXPECT_EQ(save(image.get(), path(name).c_str()), 0) << vips_error_buffer();
  return path(name);
}

gpu::RgbaImage muted_picture(gpu::Size size) {
  gpu::RgbaImage picture(size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::uint8_t* const pixel = picture.at(x, y);
      pixel[0] = static_cast<std::uint8_t>(90 + 70 * x / size.width);
      pixel[1] = static_cast<std::uint8_t>(100 + 60 * y / size.height);
      pixel[2] = static_cast<std::uint8_t>(150 - 40 * x / size.width);
      pixel[3] = 255;
    }
  }
  return picture;
}

gpu::RgbaImage fading_image(gpu::Size size) {
  gpu::RgbaImage picture = muted_picture(size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      picture.at(x, y)[3] = static_cast<std::uint8_t>(255 - 200 * x / size.width);
    }
  }
  return picture;
}

gpu::RgbaImage noise_image(gpu::Size size, unsigned seed) {
  std::mt19937 random(seed);
  gpu::RgbaImage picture(size);
  for (std::uint8_t& value : picture.pixels) value = static_cast<std::uint8_t>(random() & 255U);
  return picture;
}

double mean_difference(const gpu::RgbaImage& a, const gpu::RgbaImage& b) {
  if (a.size != b.size || a.pixels.empty()) return 255;
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

int max_difference(const gpu::RgbaImage& a, const gpu::RgbaImage& b) {
  if (a.size != b.size) return 255;
  int most = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return most;
}

VipsImagePtr convert(VipsImage* in, const std::function<int(VipsImage*, VipsImage**)>& operation) {
  VipsImage* out = nullptr;
  EXPECT_EQ(operation(in, &out), 0) << vips_error_buffer();
  return VipsImagePtr(out);
}

VipsImagePtr without_alpha(VipsImage* in) {
  return convert(in, [](VipsImage* image, VipsImage** out) {
    return vips_extract_band(image, out, 0, "n", 3, nullptr);
  });
}

}  // namespace pytoon::media
