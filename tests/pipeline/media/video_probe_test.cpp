#include "pipeline/media/video_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>

#include "base/files.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::HasSubstr;

class VideoProbe : public MediaTest {};

// Flat patches side by side, each 16 pixels wide, in known Y, Cb, Cr.
struct Patch {
  std::uint8_t y, cb, cr;
};
constexpr std::array<Patch, 6> kPatches{Patch{16, 128, 128}, Patch{235, 128, 128},
                                        Patch{63, 102, 240}, Patch{173, 42, 26},
                                        Patch{32, 240, 118}, Patch{126, 128, 128}};

class Chart final : public FrameSource {
 public:
  Status draw(int, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::HostNv12View>(target);
    for (int y = 0; y < view.size.height; ++y) {
      for (int x = 0; x < view.size.width; ++x) {
        const Patch& patch = kPatches.at(static_cast<std::size_t>(x / 16));
        const auto row = static_cast<std::size_t>(y);
        const auto column = static_cast<std::size_t>(x);
        view.luma[row * view.luma_pitch_bytes + column] = patch.y;
        view.chroma[row / 2 * view.chroma_pitch_bytes + column] = x % 2 == 0 ? patch.cb : patch.cr;
      }
    }
    return ok_status();
  }
};

// ITU-R BT.709-6 section 3, limited range, in plain arithmetic.
std::array<double, 3> bt709_to_rgb(const Patch& patch) {
  const double y = (patch.y - 16) / 219.0;
  const double cb = (patch.cb - 128) / 224.0;
  const double cr = (patch.cr - 128) / 224.0;
  const auto code = [](double value) { return std::fmin(std::fmax(value, 0), 1) * 255; };
  return {code(y + 1.5748 * cr), code(y - 0.1873 * cb - 0.4681 * cr), code(y + 1.8556 * cb)};
}

TEST_F(VideoProbe, ColoursComeBackWithinTwoCodeValues) {
  Chart chart;
  SegmentOrder wanted = order("s.mp4", 3, {96, 64});
  wanted.encoder.crf = 1;  // the chart, not the encoder, is under test
  ASSERT_TRUE(write_segment(chart, wanted));
  const auto image = decode_frame(wanted.output, 1);
  ASSERT_TRUE(image) << image.failure().detail;
  ASSERT_EQ(image->size, (gpu::Size{96, 64}));
  for (std::size_t i = 0; i < kPatches.size(); ++i) {
    const auto expected = bt709_to_rgb(kPatches.at(i));
    for (const int y : {2, 31, 61}) {
      const std::uint8_t* pixel = image->at(static_cast<int>(i) * 16 + 8, y);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        EXPECT_NEAR(pixel[channel], expected.at(channel), 2) << "patch " << i << " row " << y;
      }
      EXPECT_EQ(pixel[3], 255);
    }
  }
}

// Frame n is flat with luma 20 + n, so a decoded frame tells which one it is.
class Numbered final : public FrameSource {
 public:
  Status draw(int index, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::HostNv12View>(target);
    for (int y = 0; y < view.size.height; ++y) {
      const auto row = static_cast<std::size_t>(y);
      std::fill_n(view.luma + row * view.luma_pitch_bytes, view.size.width,
                  static_cast<std::uint8_t>(20 + index));
      std::fill_n(view.chroma + row / 2 * view.chroma_pitch_bytes, view.size.width,
                  std::uint8_t{128});
    }
    return ok_status();
  }
};

TEST_F(VideoProbe, AFrameIsTheOneAskedFor) {
  Numbered numbers;
  SegmentOrder wanted = order("s.mp4", 200, {64, 64});
  wanted.encoder.crf = 1;
  wanted.encoder.gop_frames = 20;
  ASSERT_TRUE(write_segment(numbers, wanted));
  const auto number = [&](std::int64_t index) {
    const auto image = decode_frame(wanted.output, index);
    EXPECT_TRUE(image) << image.failure().detail;
    return image ? std::lround(*image->at(32, 32) * 219.0 / 255 + 16) - 20 : -1;
  };
  for (const int index : {0, 1, 16, 17, 19, 20, 21, 59, 60, 79, 99, 138, 199}) {
    EXPECT_EQ(number(index), index);
  }
  EXPECT_EQ(number(200), 199);
  EXPECT_EQ(number(1'000'000), 199);
  EXPECT_EQ(decode_frame(wanted.output, -1).failure().kind, FailureKind::kInvalid);
}

TEST_F(VideoProbe, ACutOffVideoIsRefused) {
  const fs::path path = segment("s.mp4", 60);
  const auto size = fs::file_size(path);
  for (const double part : {0.99, 0.7, 0.1}) {
    fs::resize_file(path, static_cast<std::uintmax_t>(static_cast<double>(size) * part));
    const auto facts = probe_video(path);
    ASSERT_FALSE(facts) << part;
    EXPECT_EQ(facts.failure().kind, FailureKind::kMedia);
    EXPECT_THAT(facts.failure().detail, HasSubstr(path.filename().string()));
  }
}

TEST_F(VideoProbe, AVideoThatEndsBetweenFramesIsRefused) {
  const fs::path path = segment("s.mp4", 60);
  fs::resize_file(path, static_cast<std::uintmax_t>(packet_times(path, 30).last_at));
  const auto facts = probe_video(path);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kMedia);
}

TEST_F(VideoProbe, DamagedDataIsRefused) {
  const fs::path path = segment("s.mp4", 60);
  const std::string good = *read_file(path);
  const std::size_t data = good.find("mdat");
  ASSERT_NE(data, std::string::npos);
  std::string bad = good;
  // Over several packets: within one, a decoder may take anything for a picture.
  const std::size_t third = (bad.size() - data) / 3;
  std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(data + third), third, '\xFF');
  ASSERT_TRUE(write_file_atomically(path, bad));
  const auto facts = probe_video(path);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::kMedia);
}

TEST_F(VideoProbe, FilesThatAreNoVideoAreRefused) {
  EXPECT_EQ(probe_video(folder_ / "none").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(decode_frame(folder_ / "none", 0).failure().kind, FailureKind::kNotFound);
  ASSERT_TRUE(write_file_atomically(folder_ / "text", "#EXTM3U\nhttp://127.0.0.1/x.ts\n"));
  EXPECT_EQ(probe_video(folder_ / "text").failure().kind, FailureKind::kMedia);
  ASSERT_TRUE(write_file_atomically(folder_ / "empty", ""));
  EXPECT_EQ(probe_video(folder_ / "empty").failure().kind, FailureKind::kMedia);
}

}  // namespace pytoon::media
