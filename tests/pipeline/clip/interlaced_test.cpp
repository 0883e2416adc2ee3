// Clips coded as fields of different moments come out as whole pictures.
#include <cmath>

#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

class Interlaced : public ClipTest {
 protected:
  // A white bar that moves 8 px a field over grey, coded as fields.
  std::filesystem::path moving_bar(const std::string& name, const std::string& options) const {
    ffmpeg(
        "-f lavfi -i color=c=gray:s=320x240:r=50:d=1.6 -f lavfi -i "
        "color=c=white:s=24x120:r=50:d=1.6 "
        "-filter_complex \"[0][1]overlay=x=20+n*3:y=60:eval=frame,tinterlace=interleave_top,"
        "setfield=tff,format=yuv420p\" " +
        options + " {}/" + name);
    return path(name);
  }

  // How much neighbouring rows differ where rows two apart do not: combs.
  static double combing(const gpu::Nv12Frame& picture) {
    double sum = 0;
    for (int y = 80; y < 160; ++y) {
      for (int x = 0; x < picture.size.width; ++x) {
        const auto luma = [&](int row) {
          return static_cast<int>(
              picture.luma[static_cast<std::size_t>(row) * picture.luma_pitch_bytes +
                           static_cast<std::size_t>(x)]);
        };
        const int alike = std::abs(luma(y - 1) - luma(y + 1));
        sum += std::max(0, std::abs(luma(y) - luma(y - 1)) - alike - 8);
      }
    }
    return sum / 80;
  }

  void expect_no_combs(const std::filesystem::path& file) {
    const auto played = source(file);
    const std::size_t count = index(file)->times.starts.size();
    ASSERT_GT(count, 30U);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{17}, count - 1,
                                std::size_t{12}, std::size_t{24}}) {
      const auto picture = played->frame(i);
      ASSERT_TRUE(picture) << picture.failure().detail;
      EXPECT_LT(combing(*picture), 20) << file << " frame " << i;
    }
  }
};

TEST_F(Interlaced, H264IsDeinterlaced) {
  expect_no_combs(moving_bar("bff.mp4", "-c:v libx264 -qp 10 -g 12 -bf 2 -flags +ildct+ilme"));
  expect_no_combs(moving_bar("paff.mov", "-c:v libx264 -qp 10 -g 1000 -x264-params tff=1"));
}

TEST_F(Interlaced, APictureIsTheSameHoweverItIsReached) {
  const auto file = moving_bar("clip.mp4", "-c:v libx264 -qp 10 -g 12 -flags +ildct+ilme");
  const auto forward = source(file);
  std::string passed;
  for (std::size_t i = 0; i <= 20; ++i) {
    const auto picture = forward->frame(i);
    ASSERT_TRUE(picture) << picture.failure().detail;
    const std::size_t bytes = picture->luma_pitch_bytes * 240;
    passed.assign(reinterpret_cast<const char*>(picture->luma), bytes);
  }
  const auto jumped = source(file)->frame(20);
  ASSERT_TRUE(jumped);
  EXPECT_EQ(
      passed.compare(0, passed.size(), reinterpret_cast<const char*>(jumped->luma), passed.size()),
      0);
}

// Progressive frames that an encoder stored in fields (PsF) say so, and stay untouched.
TEST_F(Interlaced, ProgressiveFramesStayAsTheyAre) {
  const auto plain = clip("plain.mp4", 30, "25");
  const auto played = source(plain);
  for (const std::size_t i : {std::size_t{0}, std::size_t{11}, std::size_t{29}}) {
    const auto picture = played->frame(i);
    ASSERT_TRUE(picture);
    EXPECT_EQ(read_code(*picture), static_cast<int>(i));
  }
}

}  // namespace
}  // namespace pytoon::media
