#include "pipeline/media/cuda_bridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/mapped_frame.h"
#include "tests/pipeline/media/media_fixture.h"
#include "tests/pipeline/media/nvidia/fake_nvidia.h"

namespace pytoon::media {

constexpr gpu::Size kSize{108, 192};

class Bridge : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    fake_nvenc_reset({1000, 0, -1});
    auto bridge = CudaBridge::open({fake_cuda_context(), 0}, 0);
    ASSERT_TRUE(bridge) << bridge.failure().detail;
    bridge_ = std::move(*bridge);
  }
  static GstPtr<GstCaps> caps() {
    return GstPtr<GstCaps>(gst_caps_from_string(
        "video/x-raw(memory:CUDAMemory),format=NV12,width=108,height=192,framerate=30/1"));
  }
  // What a pad of an element says it can carry.
  static std::string offered(GstElement* element, const char* pad_name) {
    GstPad* pad = gst_element_get_static_pad(element, pad_name);
    const GstPtr<GstCaps> offer(gst_pad_query_caps(pad, nullptr));
    gst_object_unref(pad);
    gchar* text = gst_caps_to_string(offer.get());
    const std::string copy(text);
    g_free(text);
    return copy;
  }

  std::shared_ptr<CudaBridge> bridge_;
};

TEST_F(Bridge, FramesComeFromDeviceMemoryAndGoBack) {
  const GstPtr<GstCaps> shape = caps();
  const long before = fake_cuda_blocks();
  {
    const auto pool = bridge_->parts().make_pool(shape.get(), 5);
    ASSERT_TRUE(pool) << pool.failure().detail;
    EXPECT_GE(fake_cuda_blocks(), before + 5);
    GstVideoInfo info{};
    gst_video_info_from_caps(&info, shape.get());
    GstBuffer* buffer = nullptr;
    ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool->get(), &buffer, nullptr), GST_FLOW_OK);
    const GstPtr<GstBuffer> owned(buffer);
    const MappedFrame frame(info, buffer, GST_MAP_WRITE | kMapCuda);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame.pitch_bytes(0), 512);  // the driver's, not the width
    EXPECT_EQ(frame.pitch_bytes(1), 512);
    EXPECT_EQ(frame.plane(1) - frame.plane(0), 512 * kSize.height);
    frame.plane(1)[std::ptrdiff_t{512} * (kSize.height / 2 - 1)] = 1;  // ours to write
  }
  EXPECT_EQ(fake_cuda_blocks(), before);
  EXPECT_EQ(fake_cuda_copies(), 0);
  EXPECT_EQ(fake_cuda_contexts_pushed(), 0);
}

TEST_F(Bridge, APoolNeverGrows) {
  const GstPtr<GstCaps> shape = caps();
  const auto pool = bridge_->parts().make_pool(shape.get(), 2);
  ASSERT_TRUE(pool);
  GstBuffer* raw[3]{};
  GstBufferPoolAcquireParams now{};
  now.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool->get(), &raw[0], &now), GST_FLOW_OK);
  EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool->get(), &raw[1], &now), GST_FLOW_OK);
  EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool->get(), &raw[2], &now), GST_FLOW_EOS);
  gst_buffer_unref(raw[0]);
  gst_buffer_unref(raw[1]);
}

TEST_F(Bridge, ADeviceThatIsFullIsOutOfMemory) {
  const GstPtr<GstCaps> shape = caps();
  const long before = fake_cuda_blocks();
  fake_cuda_refuse_memory(1);
  const auto pool = bridge_->parts().make_pool(shape.get(), 2);
  fake_cuda_refuse_memory(0);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_EQ(fake_cuda_blocks(), before);
  EXPECT_TRUE(bridge_->parts().make_pool(shape.get(), 2));  // usable after
}

TEST_F(Bridge, TheSourceOffersTheMemoryOfItsJobAlone) {
  GstPipelineRun pipeline;
  GstElement* source = *pipeline.add(kCompositorSource);
  MovingImage picture;
  CompositorSourceJob job{.frames = &picture,
                          .format = {kSize, 30},
                          .range = {0, 1},
                          .cuda = bridge_.get(),
                          .cuda_frames = 4,
                          .failures = pipeline.failures()};
  configure_compositor_source(source, job);
  EXPECT_THAT(offered(source, "src"), testing::StartsWith("video/x-raw(memory:CUDAMemory), "));
  job.cuda = nullptr;
  configure_compositor_source(source, job);
  EXPECT_THAT(offered(source, "src"), testing::StartsWith("video/x-raw, "));
}

TEST_F(Bridge, TheEncoderTakesTheMemoryOfItsCodecAlone) {
  const auto frames = bridge_->parts().make_frames(kSize);
  ASSERT_TRUE(frames);
  for (const bool cuda : {true, false}) {
    GstPipelineRun pipeline;
    GstElement* element = *pipeline.add(kEncoderElement);
    const EncoderSettings settings{.codec = cuda ? kCodecNvenc : kCodecX264,
                                   .preset = cuda ? "p5" : "veryfast"};
    auto encoder = VideoEncoder::open({kSize, 30}, settings, cuda ? frames->get() : nullptr);
    ASSERT_TRUE(encoder) << encoder.failure().detail;
    configure_encoder_element(
        element,
        {.format = {kSize, 30}, .encoder = std::move(*encoder), .failures = pipeline.failures()});
    const std::string offer = offered(element, "sink");
    EXPECT_EQ(offer.find("memory:CUDAMemory") != std::string::npos, cuda) << offer;
    EXPECT_EQ(offer.find("video/x-raw,") != std::string::npos, !cuda) << offer;
  }
  EXPECT_EQ(fake_nvenc_open(), 0);
}

TEST_F(Bridge, WithoutCudaFramesNvencIsNotOpened) {
  const auto encoder = VideoEncoder::open({kSize, 30}, {.codec = kCodecNvenc, .preset = "p5"});
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.failure().kind, FailureKind::kEncoder);
  EXPECT_EQ(fake_nvenc_opened(), 0);
}

}  // namespace pytoon::media
