#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "base/hash.h"
#include "pipeline/media/assembler.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/gst/video_reader.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/media_fixture.h"
#include "tests/pipeline/media/nvidia/fake_nvidia.h"

namespace pytoon::media {
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// Draws where the fake device's memory is the host's.
class CudaFrames : public MovingImage {
 public:
  using MovingImage::MovingImage;
  Status draw(int index, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::CudaNv12View>(target);
    return MovingImage::draw(index, gpu::HostNv12View{view.size, view.luma, view.luma_pitch_bytes,
                                                      view.chroma, view.chroma_pitch_bytes});
  }
};

class NvencSegment : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    fake_nvenc_reset({1000, 0, -1});
    blocks_before_ = fake_cuda_blocks();
    bridge_ = open_bridge(0);
  }
  void TearDown() override {
    bridge_.reset();
    EXPECT_EQ(fake_cuda_blocks(), blocks_before_);
    EXPECT_EQ(fake_cuda_copies(), 0);
    EXPECT_EQ(fake_cuda_contexts_pushed(), 0);
    EXPECT_EQ(fake_nvenc_open(), 0);
    MediaTest::TearDown();
  }

  static std::shared_ptr<CudaBridge> open_bridge(int sessions_max) {
    auto bridge = CudaBridge::open({fake_cuda_context(), 0}, sessions_max);
    EXPECT_TRUE(bridge) << bridge.failure().detail;
    return *bridge;
  }
  SegmentOrder nvenc_order(const std::string& name, int frames) const {
    SegmentOrder wanted = order(name, frames);
    wanted.encoder = EncoderPreference{}.nvenc;
    wanted.cuda = bridge_;
    return wanted;
  }
  fs::path nvenc_segment(const std::string& name, int frames, int seed = 0) const {
    CudaFrames picture(seed);
    const SegmentOrder wanted = nvenc_order(name, frames);
    const Status written = write_segment(picture, wanted);
    EXPECT_TRUE(written) << written.failure().detail;
    return wanted.output;
  }
  Failure refused(const SegmentOrder& wanted) const {
    CudaFrames picture;
    const Status written = write_segment(picture, wanted);
    EXPECT_FALSE(written);
    EXPECT_THAT(files(), IsEmpty());
    return written ? Failure{} : written.failure();
  }

  long blocks_before_ = 0;
  std::shared_ptr<CudaBridge> bridge_;
};

// Mean difference of each decoded frame's samples from what was drawn: a frame in another one's
// place, or a plane read at another pitch, is far off.
std::vector<double> differences(const fs::path& video, int seed = 0) {
  std::vector<double> means;
  auto reader = VideoReader::open(video);
  EXPECT_TRUE(reader) << reader.failure().detail;
  std::vector<std::uint8_t> bytes(108 * 192 * 3 / 2);
  MovingImage picture(seed);
  while (reader) {
    const auto frame = (*reader)->next();
    EXPECT_TRUE(frame) << frame.failure().detail;
    if (!frame || *frame == nullptr) break;
    EXPECT_TRUE(picture.draw(
        static_cast<int>(means.size()),
        gpu::HostNv12View{{108, 192}, bytes.data(), 108, bytes.data() + 108 * 192, 108}));
    double sum = 0;
    for (int y = 0; y < 192; ++y) {
      for (int x = 0; x < 108; ++x) {
        const int luma = (*frame)->data[0][y * (*frame)->linesize[0] + x];
        sum += std::abs(luma - bytes[static_cast<std::size_t>(y * 108 + x)]);
        if (y % 2 != 0 || x % 2 != 0) continue;
        const int cb = (*frame)->data[1][y / 2 * (*frame)->linesize[1] + x / 2];
        sum += std::abs(cb - bytes[static_cast<std::size_t>(108 * 192 + y / 2 * 108 + x)]);
      }
    }
    means.push_back(sum / (108 * 192 * 1.25));
  }
  return means;
}

TEST_F(NvencSegment, HasEveryFrameInItsPlaceAndCopiesNone) {
  for (const int frames : {1, 2, 4, 31, 130}) {
    const fs::path path = nvenc_segment("s.mp4", frames);
    const auto means = differences(path);
    EXPECT_EQ(means.size(), static_cast<std::size_t>(frames));
    EXPECT_THAT(means, testing::Each(testing::Lt(6.0)));
    const auto facts = probe_video(path);
    ASSERT_TRUE(facts) << facts.failure().detail;
    EXPECT_EQ(facts->frames, frames);
    EXPECT_EQ(facts->profile, "High");
    EXPECT_EQ(facts->pixel_format, "yuv420p");
    EXPECT_EQ(facts->color_space, "bt709");
    EXPECT_TRUE(facts->moov_before_mdat);
    const Fraction duration = movie_duration(path);
    EXPECT_EQ(duration.numerator * 30, static_cast<std::uint64_t>(frames) * duration.denominator);
    // FFmpeg overlooks the offsets of a file's last two frames, and says so of one with next to
    // no others.
    if (frames < 5) log_lines_.str("");
  }
  EXPECT_EQ(fake_nvenc_frames(), 1 + 2 + 4 + 31 + 130);
  EXPECT_EQ(fake_nvenc_peak_kbps(), 12000);
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(NvencSegment, AFrameInThePlaceOfAnotherWouldBeSeen) {
  const auto means = differences(nvenc_segment("s.mp4", 4), 1);
  EXPECT_THAT(means, testing::Each(testing::Gt(12.0)));
}

TEST_F(NvencSegment, TheEncoderMeetsTheSameFewAddressesAgain) {
  nvenc_segment("s.mp4", 300);
  EXPECT_GE(fake_nvenc_registered(), 4);
  EXPECT_LE(fake_nvenc_registered(), 16);
}

TEST_F(NvencSegment, SegmentsJoinIntoOneVideo) {
  AssemblyOrder join;
  join.format.size = {108, 192};
  join.output = folder_ / "out.mp4";
  std::vector<std::string> expected;
  for (const int frames : {65, 1, 31}) {
    const int seed = static_cast<int>(join.segments.size());
    join.segments.push_back(nvenc_segment("s" + std::to_string(seed), frames, seed));
    const auto hashes = frame_hashes(join.segments.back());
    expected.insert(expected.end(), hashes.begin(), hashes.end());
  }
  const Status joined = assemble(join);
  ASSERT_TRUE(joined) << joined.failure().detail;
  EXPECT_EQ(frame_hashes(join.output), expected);
  const Fraction duration = movie_duration(join.output);
  EXPECT_EQ(duration.numerator * 30, 97 * duration.denominator);
}

TEST_F(NvencSegment, SegmentsOfBothEncodersAreNotJoined) {
  AssemblyOrder join;
  join.format.size = {108, 192};
  join.output = folder_ / "out.mp4";
  join.segments = {nvenc_segment("a", 9), segment("b", 9)};
  const Status joined = assemble(join);
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.failure().kind, FailureKind::kMedia);
}

TEST_F(NvencSegment, X264DrawsIntoSystemMemoryWhateverTheDevice) {
  const std::string without = *sha256_file(segment("a.mp4", 30));
  MovingImage picture;  // takes only HostNv12View
  SegmentOrder wanted = order("b.mp4", 30);
  wanted.cuda = bridge_;
  ASSERT_TRUE(write_segment(picture, wanted));
  EXPECT_EQ(*sha256_file(wanted.output), without);
  EXPECT_EQ(fake_nvenc_opened(), 0);
}

TEST_F(NvencSegment, ACardWithoutNvencSaysSo) {
  fake_nvenc_reset({1000, 2, -1});  // NV_ENC_ERR_UNSUPPORTED_DEVICE
  const Failure fault = refused(nvenc_order("s.mp4", 9));
  EXPECT_EQ(fault.kind, FailureKind::kEncoder);
  EXPECT_THAT(fault.detail, HasSubstr("unsupported device"));
  EXPECT_EQ(log_lines_.str(), "");
}

TEST_F(NvencSegment, WithoutACudaDeviceItIsRefused) {
  SegmentOrder wanted = nvenc_order("s.mp4", 9);
  wanted.cuda = nullptr;
  EXPECT_EQ(refused(wanted).kind, FailureKind::kEncoder);
}

TEST_F(NvencSegment, AnEncoderThatFailsMidwayIsAnEncoderFailure) {
  for (const int frame : {0, 5, 40}) {
    fake_nvenc_reset({1000, 0, frame});
    const Failure fault = refused(nvenc_order("s.mp4", 60));
    EXPECT_EQ(fault.kind, FailureKind::kEncoder) << fault.detail;
    EXPECT_EQ(fake_nvenc_open(), 0);
    EXPECT_EQ(fake_cuda_blocks(), blocks_before_);
  }
}

TEST_F(NvencSegment, AFullDeviceIsOutOfMemory) {
  fake_cuda_refuse_memory(1);
  const Failure fault = refused(nvenc_order("s.mp4", 9));
  fake_cuda_refuse_memory(0);
  EXPECT_EQ(fault.kind, FailureKind::kOutOfMemory) << fault.detail;
  nvenc_segment("s.mp4", 9);
}

TEST_F(NvencSegment, CancellingGivesEverythingBack) {
  const SegmentOrder wanted = nvenc_order("s.mp4", 1000);
  class CancelsItself final : public CudaFrames {
   public:
    explicit CancelsItself(CancelToken cancel) : cancel_(std::move(cancel)) {}
    Status draw(int index, const gpu::Nv12Target& target) override {
      if (index == 20) cancel_.cancel();
      return CudaFrames::draw(index, target);
    }

   private:
    CancelToken cancel_;
  } picture(wanted.cancel);
  const Status written = write_segment(picture, wanted);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.failure().kind, FailureKind::kCancelled);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(fake_cuda_blocks(), blocks_before_);
}

TEST_F(NvencSegment, NoMoreSessionsAreOpenedThanConfigured) {
  bridge_ = open_bridge(2);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([this, i] { nvenc_segment("s" + std::to_string(i), 20, i); });
    }
  }
  EXPECT_EQ(files().size(), 5U);
  EXPECT_EQ(fake_nvenc_opened(), 5);
  EXPECT_LE(fake_nvenc_open_most(), 2);
}

TEST_F(NvencSegment, TheCardsLimitIsLearnedAndSegmentsWaitTheirTurn) {
  fake_nvenc_reset({2, 0, -1});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([this, i] { nvenc_segment("s" + std::to_string(i), 40, i); });
    }
  }
  EXPECT_EQ(files().size(), 6U);
  EXPECT_EQ(fake_nvenc_open_most(), 2);
}

TEST_F(NvencSegment, WhenOthersHoldAllSessionsTheSegmentIsNotMade) {
  fake_nvenc_reset({0, 0, -1});
  const Failure fault = refused(nvenc_order("s.mp4", 9));
  EXPECT_EQ(fault.kind, FailureKind::kEncoder);
  EXPECT_THAT(fault.detail, HasSubstr("others hold all of the card's sessions"));
}

}  // namespace pytoon::media
