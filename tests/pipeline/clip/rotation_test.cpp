#include "pipeline/media/clip/rotation.h"

#include <cmath>
#include <functional>
#include <set>

#include "base/files.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

TEST_F(ClipTest, RotationFlagsAreFollowed) {
  clip("flat.mp4", 40, "30");
  std::set<int> seen;
  for (int degrees = 0; degrees < 360; degrees += 90) {
    ffmpeg("-i {}/flat.mp4 -c copy -metadata:s:v rotate=" + std::to_string(degrees) +
           " {}/turned.mp4");
    ffmpeg("-i {}/turned.mp4 -f rawvideo -pix_fmt nv12 {}/upright.raw");  // ffmpeg turns them
    const auto file = path("turned.mp4");
    const gpu::Size upright = degrees % 180 == 90 ? gpu::Size{96, 160} : gpu::Size{160, 96};
    EXPECT_EQ(index(file)->upright, upright);
    const auto width = static_cast<std::size_t>(upright.width);
    const std::string raw = *read_file(path("upright.raw"));
    const auto played = source(file);
    for (const int n : {1, 2, 39, 7}) {
      gpu::Nv12Frame truth{gpu::Memory::kHost, upright};
      truth.luma = reinterpret_cast<const std::uint8_t*>(raw.data()) + n * (160 * 96 * 3 / 2);
      truth.luma_pitch_bytes = width;
      EXPECT_EQ(played->frame_at(n, 30)->size, upright);
      EXPECT_EQ(code_at(*played, n), read_code(truth)) << degrees;
    }
    seen.insert(code_at(*played, 1));
  }
  EXPECT_EQ(seen.size(), 4U);
}

TEST(Rotation, MatricesOfAllEight) {
  const auto of = [](int a, int b, int c, int d) {
    const std::int32_t matrix[9] = {a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30};
    return turn_of(matrix);
  };
  EXPECT_EQ(of(1, 0, 0, 1), (Rotation{false, false, false}));
  EXPECT_EQ(of(-1, 0, 0, 1), (Rotation{false, true, false}));
  EXPECT_EQ(of(-1, 0, 0, -1), (Rotation{false, true, true}));
  EXPECT_EQ(of(0, 1, -1, 0), (Rotation{true, true, false}));  // a quarter clockwise
  EXPECT_EQ(of(0, -1, 1, 0), (Rotation{true, false, true}));
  EXPECT_EQ(of(0, 1, 1, 0), (Rotation{true, false, false}));
}

// A picture whose every sample is a linear function of its place, so that chroma that is where it
// belongs has exactly the value of its place.
struct Ramp {
  gpu::Size size{32, 24};
  std::vector<std::uint8_t> luma = std::vector<std::uint8_t>(32 * 24);
  std::vector<std::uint8_t> cb = std::vector<std::uint8_t>(16 * 12);

  explicit Ramp(const std::function<double(double, double)>& value) {
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 32; ++x) {
        luma[static_cast<std::size_t>(y * 32 + x)] =
            static_cast<std::uint8_t>(std::lround(value(x, y)));
      }
    }
    for (int j = 0; j < 12; ++j) {
      for (int i = 0; i < 16; ++i) {
        cb[static_cast<std::size_t>(j * 16 + i)] =
            static_cast<std::uint8_t>(std::lround(value(2 * i, 2 * j + 0.5)));
      }
    }
  }
};

TEST(Rotation, ChromaStaysOnTheLumaItColours) {
  const Ramp ramp([](double x, double y) { return 10 + 4 * x + 4 * y; });
  for (int bits = 0; bits < 8; ++bits) {
    const Rotation rotation{(bits & 4) != 0, (bits & 2) != 0, (bits & 1) != 0};
    const gpu::Size size = rotated(ramp.size, rotation);
    const auto width = static_cast<std::size_t>(size.width);
    std::vector<std::uint8_t> luma(32 * 24);
    std::vector<std::uint8_t> chroma(32 * 12);
    rotate_upright({ramp.size, {ramp.luma.data(), ramp.cb.data(), ramp.cb.data()}, {32, 16, 16}},
                   rotation, {size, luma.data(), width, chroma.data(), width});
    for (int j = 1; j + 1 < size.height / 2; ++j) {
      for (int i = 1; i + 1 < size.width / 2; ++i) {
        // Chroma (i, j) lies between two luma rows.
        const auto at = static_cast<std::size_t>(2 * j) * width + static_cast<std::size_t>(2 * i);
        const double between = (luma[at] + luma[at + width]) / 2.0;
        const auto sample = static_cast<std::size_t>(j) * width + static_cast<std::size_t>(2 * i);
        ASSERT_NEAR(chroma[sample], between, 1) << bits << " at " << i << ", " << j;
        ASSERT_EQ(chroma[sample], chroma[sample + 1]);
      }
    }
  }
}

}  // namespace
}  // namespace pytoon::media
