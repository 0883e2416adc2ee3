// The card's decoder (NVDEC) against software decoding: the same samples, bit for bit, as both
// standards demand. Skipped, with the reason printed, where there is no card. FFmpeg makes the CUDA
// context here, so this needs no device of ours.
//
// PYTOON_TEST_CLIP names a further clip to compare, 8-bit 4:2:0 in BT.709 limited range, not
// turned.
#include <cstdlib>

#include "pipeline/media/clip/clip_source.h"
#include "pipeline/media/clip/hardware_decoding.h"
#include "tests/pipeline/media/media_fixture.h"

#define CUDA_VERSION 0
using CUcontext = struct CUctx_st*;
using CUstream = struct CUstream_st*;
extern "C" {
#include <libavutil/hwcontext_cuda.h>
}

namespace pytoon::media {
namespace {

class NvdecTest : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    AVBufferRef* made = nullptr;
    const int rc = av_hwdevice_ctx_create(&made, AV_HWDEVICE_TYPE_CUDA, nullptr, nullptr, 0);
    if (rc < 0) GTEST_SKIP() << av_failure(rc, "there is no card to decode with").detail;
    context_.reset(made);
    const auto* const device = reinterpret_cast<const AVHWDeviceContext*>(made->data);
    handles_.context = static_cast<const AVCUDADeviceContext*>(device->hwctx)->cuda_ctx;
  }

  void compare(const std::filesystem::path& file, const std::vector<std::size_t>& order) {
    const auto clip = index_clip(file);
    ASSERT_TRUE(clip) << clip.failure().detail;
    ClipSource on_card({*clip, (*clip)->upright, {}}, handles_);
    ClipSource on_host({*clip, (*clip)->upright, {}});
    for (const std::size_t wanted : order) {
      const std::size_t i = std::min(wanted, (*clip)->times.starts.size() - 1);
      const auto card = on_card.frame(i);
      const auto host = on_host.frame(i);
      ASSERT_TRUE(card) << card.failure().detail;
      ASSERT_TRUE(host) << host.failure().detail;
      ASSERT_EQ(card->memory, gpu::Memory::kCuda) << log_lines_.str();
      expect_same(*card, *host, i);
    }
  }

  static void expect_same(const gpu::Nv12Frame& card, const gpu::Nv12Frame& host,
                          std::size_t index) {
    const FramePtr fetched = make_frame();
    const auto* const surface = static_cast<const AVFrame*>(card.owner.get());
    ASSERT_EQ(av_hwframe_transfer_data(fetched.get(), surface, 0), 0);
    ASSERT_EQ(card.size, host.size);
    const auto width = static_cast<std::size_t>(host.size.width);
    for (std::size_t y = 0; y < static_cast<std::size_t>(host.size.height); ++y) {
      const std::uint8_t* const a =
          fetched->data[0] + y * static_cast<std::size_t>(fetched->linesize[0]);
      ASSERT_TRUE(std::equal(a, a + width, host.luma + y * host.luma_pitch_bytes))
          << "frame " << index << ", luma row " << y;
    }
    for (std::size_t y = 0; y < static_cast<std::size_t>(host.size.height) / 2; ++y) {
      const std::uint8_t* const a =
          fetched->data[1] + y * static_cast<std::size_t>(fetched->linesize[1]);
      ASSERT_TRUE(std::equal(a, a + width, host.chroma + y * host.chroma_pitch_bytes))
          << "frame " << index << ", chroma row " << y;
    }
  }

  static std::vector<std::size_t> forward_and_back(std::size_t frames) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < frames; ++i) order.push_back(i);
    for (const std::size_t i : {frames / 2, std::size_t{0}, std::size_t{1}}) order.push_back(i);
    return order;
  }

  BufferPtr context_;
  gpu::CudaHandles handles_;
};

TEST_F(NvdecTest, GivesTheSamplesOfSoftwareDecoding) {
  MovingImage picture(3);
  SegmentOrder wanted = order("clip.mp4", 90, {1080, 1920});
  const Status written = write_segment(picture, wanted);
  ASSERT_TRUE(written) << written.failure().detail;
  compare(wanted.output, forward_and_back(90));
}

TEST_F(NvdecTest, SurfacesMayBeHeldForAWhile) {
  const auto file = segment("clip.mp4", 60, 0);
  const auto clip = index_clip(file);
  ASSERT_TRUE(clip);
  ClipSource played({*clip, (*clip)->upright, {}}, handles_);
  std::vector<gpu::Nv12Frame> held;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto picture = played.frame(i);
    ASSERT_TRUE(picture) << picture.failure().detail;
    ASSERT_EQ(picture->memory, gpu::Memory::kCuda) << i;
    held.push_back(*picture);
    if (held.size() > kSurfacesHeld - 2) held.erase(held.begin());
  }
}

TEST_F(NvdecTest, AClipOfSomebodyElse) {
  const char* const named = std::getenv("PYTOON_TEST_CLIP");
  if (named == nullptr) GTEST_SKIP() << "PYTOON_TEST_CLIP names no clip";
  compare(named, forward_and_back(300));
}

}  // namespace
}  // namespace pytoon::media
