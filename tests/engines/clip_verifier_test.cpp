#include "engines/clip_verifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/files.h"
#include "base/log.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/media/media.h"
#include "pipeline/media/segment_writer.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;

// Grey of one brightness, a little brighter in each frame.
class Grey final : public media::FrameSource {
 public:
  explicit Grey(int luma) : luma_(luma) {}
  Status draw(int index, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::HostNv12View>(target);
    for (int y = 0; y < view.size.height; ++y) {
      std::memset(view.luma + static_cast<std::size_t>(y) * view.luma_pitch_bytes,
                  luma_ + (luma_ > 20 ? index : 0), static_cast<std::size_t>(view.size.width));
    }
    for (int y = 0; y < view.size.height / 2; ++y) {
      std::memset(view.chroma + static_cast<std::size_t>(y) * view.chroma_pitch_bytes, 128,
                  static_cast<std::size_t>(view.size.width));
    }
    return ok_status();
  }

 private:
  const int luma_;
};

class ClipVerifierTest : public testing::Test {
 protected:
  void SetUp() override {
    auto media =
        media::MediaRuntime::start(fs::temp_directory_path() / "pytoon-verifier-cache", log_);
    ASSERT_TRUE(media) << media.failure().detail;
    media_ = std::move(*media);
  }
  fs::path clip(int luma, gpu::Size size = {108, 192}) {
    media::SegmentOrder order;
    order.format.size = size;
    order.frame_count = 30;
    order.output = folder_ / "clip.mp4";
    Grey grey(luma);
    EXPECT_TRUE(media::write_segment(grey, order));
    return order.output;
  }
  std::string complaint(const fs::path& file) {
    const Result<double> verified = verify_(file, media::UnsaidMatrix::kBt601);
    if (verified) return "none";
    EXPECT_EQ(verified.failure().kind, FailureKind::kMedia);
    return verified.failure().detail;
  }

  const support::TemporaryFolder temporary_{"pytoon-verifier"};
  const fs::path& folder_ = temporary_.path();
  SystemClock clock_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  std::unique_ptr<media::MediaRuntime> media_;
  media::LocalDecoder decoder_;
  const ClipVerifier verify_ = clip_verifier(decoder_);
};

TEST_F(ClipVerifierTest, AGoodClipHasItsLength) {
  const Result<double> seconds = verify_(clip(120), media::UnsaidMatrix::kBt601);
  ASSERT_TRUE(seconds) << seconds.failure().detail;
  EXPECT_NEAR(*seconds, 1.0, 0.001);
}

// What ComfyUI's SaveVideo writes on any machine with two cores: slices, and no tag.
TEST_F(ClipVerifierTest, AComfyUiClipIsTakenAndTagged) {
  const fs::path file = folder_ / "clip.mp4";
  fs::copy_file(support::source_dir() / "tests/field/comfyui_savevideo_slices.mp4", file);
  EXPECT_EQ(complaint(file), "none");
  EXPECT_NE(read_file(file)->find("colrnclx"), std::string::npos);
}

// What SaveWEBM, SaveAnimatedWEBP, SaveAnimatedPNG and VHS_VideoCombine write.
TEST_F(ClipVerifierTest, OtherKindsOfClipsAreTaken) {
  const std::pair<const char*, const char*> kinds[] = {
      {"vp9.webm", "-c:v libvpx-vp9 -cpu-used 8 -pix_fmt yuv420p"},
      {"av1.webm", "-c:v libaom-av1 -cpu-used 8 -pix_fmt yuv420p"},
      {"h264.mkv", "-c:v libx264 -pix_fmt yuv420p"},
      {"prores.mov", "-c:v prores_ks -pix_fmt yuv422p10le"},
      {"a.webp", "-c:v libwebp_anim"},
      {"a.png", "-pix_fmt rgb24 -f apng"},
      {"a.gif", ""}};
  for (const auto& [name, options] : kinds) {
    const fs::path file = folder_ / name;
    const std::string command =
        "ffmpeg -nostdin -v error -y -f lavfi -i "
        "testsrc=s=128x96:r=10:d=1 " +
        std::string(options) + " " + file.string();
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(complaint(file), "none") << name;
    const auto again = verify_(file, media::UnsaidMatrix::kBt601);
    ASSERT_TRUE(again) << name << ": " << again.failure().detail;
    EXPECT_NEAR(*again, 1, 0.001) << name;
  }
  // Its colours are told where it was coded without: Matroska's MatrixCoefficients of 6, BT.601.
  for (const char* name : {"vp9.webm", "av1.webm", "h264.mkv"}) {
    EXPECT_NE(read_file(folder_ / name)->find("\x55\xB1\x81\x06"), std::string::npos) << name;
  }
}

TEST_F(ClipVerifierTest, ABlackOneIsRefused) {
  EXPECT_EQ(complaint(clip(16)), "the clip is black");
}

TEST_F(ClipVerifierTest, ATinyOneIsRefused) {
  EXPECT_EQ(complaint(clip(120, {32, 32})), "the clip is too small");
}

TEST_F(ClipVerifierTest, ATruncatedOneIsRefused) {
  const fs::path whole = clip(120);
  const std::string bytes = *read_file(whole);
  for (const std::size_t part : {bytes.size() / 3, bytes.size() * 9 / 10, bytes.size() - 1}) {
    ASSERT_TRUE(write_file_atomically(whole, bytes.substr(0, part)));
    EXPECT_TRUE(complaint(whole).starts_with("the clip is no good")) << part;
  }
}

// What leads a demuxer elsewhere must not even be opened as such.
TEST_F(ClipVerifierTest, WhatIsNoMp4IsRefused) {
  const fs::path file = folder_ / "clip.mp4";
  for (const char* bytes :
       {"", "<html>login</html>", "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        "ffconcat version 1.0\nfile 'other.mp4'\n", "\x89PNG\r\n\x1a\n",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "%PDF-1.7", "PK\x03\x04", "RIFFxxxxAVI "}) {
    ASSERT_TRUE(write_file_atomically(file, bytes));
    EXPECT_TRUE(complaint(file).starts_with("the clip is no good")) << bytes;
  }
}

}  // namespace
}  // namespace pytoon::engines
