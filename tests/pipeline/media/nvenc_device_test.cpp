// The real driver, card and NVENC, where there are some: scripts/device-check runs this. Elsewhere
// every test skips and says why.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <iostream>
#include <optional>

#include "base/hash.h"
#include "pipeline/media/assembler.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/mapped_frame.h"
#include "pipeline/media/gst/video_reader.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/media_fixture.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;

// The driver's few functions that a test needs: the primary context of the first GPU, and memory
// set to one value.
struct Driver {
  int (*init)(unsigned) = nullptr;
  int (*count)(int*) = nullptr;
  int (*device)(int*, int) = nullptr;
  int (*retain)(void**, int) = nullptr;
  int (*release)(int) = nullptr;
  int (*push)(void*) = nullptr;
  int (*pop)(void**) = nullptr;
  int (*set_rows)(std::uintptr_t, std::size_t, unsigned char, std::size_t, std::size_t) = nullptr;
  int (*upload)(std::uintptr_t, const void*, std::size_t) = nullptr;
  int (*wait)() = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// "" and a loaded driver, or why there is none.
std::string load(Driver& driver) {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return "there is no NVIDIA driver (libcuda.so.1)";
  if (!find(library, "cuInit", driver.init) || !find(library, "cuDeviceGetCount", driver.count) ||
      !find(library, "cuDeviceGet", driver.device) ||
      !find(library, "cuDevicePrimaryCtxRetain", driver.retain) ||
      !find(library, "cuDevicePrimaryCtxRelease_v2", driver.release) ||
      !find(library, "cuCtxPushCurrent_v2", driver.push) ||
      !find(library, "cuCtxPopCurrent_v2", driver.pop) ||
      !find(library, "cuMemsetD2D8_v2", driver.set_rows) ||
      !find(library, "cuMemcpyHtoD_v2", driver.upload) ||
      !find(library, "cuCtxSynchronize", driver.wait)) {
    return "the driver lacks a function";
  }
  int gpus = 0;
  if (driver.init(0) != 0 || driver.count(&gpus) != 0) return "the driver does not start";
  return gpus > 0 ? "" : "the driver has no GPU";
}

// Frame n is flat, luma 40 + n, so a decoded frame tells which one it is.
class FlatFrames final : public FrameSource {
 public:
  FlatFrames(const Driver& driver, void* context) : driver_(driver), context_(context) {}
  Status draw(int index, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::CudaNv12View>(target);
    const auto width = static_cast<std::size_t>(view.size.width);
    const auto height = static_cast<std::size_t>(view.size.height);
    const auto luma = static_cast<unsigned char>(40 + index);
    const auto y = reinterpret_cast<std::uintptr_t>(view.luma);
    const auto uv = reinterpret_cast<std::uintptr_t>(view.chroma);
    void* mine = nullptr;
    const bool drawn = driver_.push(context_) == 0 &&
                       driver_.set_rows(y, view.luma_pitch_bytes, luma, width, height) == 0 &&
                       driver_.set_rows(uv, view.chroma_pitch_bytes, 128, width, height / 2) == 0 &&
                       driver_.wait() == 0 && driver_.pop(&mine) == 0;
    if (!drawn) return failure(FailureKind::kInternal, "the driver did not set memory");
    return ok_status();
  }

 private:
  const Driver& driver_;
  void* context_;
};

// Noise: each frame is too much for its bitrate.
class BusyFrames final : public FrameSource {
 public:
  BusyFrames(const Driver& driver, void* context) : driver_(driver), context_(context) {}
  Status draw(int, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::CudaNv12View>(target);
    const auto width = static_cast<std::size_t>(view.size.width);
    std::vector<std::uint8_t> row(width);
    void* mine = nullptr;
    bool copied = driver_.push(context_) == 0;
    const auto fill = [&](const std::uint8_t* plane, std::size_t pitch_bytes, int rows) {
      for (int y = 0; copied && y < rows; ++y, plane += pitch_bytes) {
        for (std::uint8_t& sample : row) sample = noise();
        copied = driver_.upload(reinterpret_cast<std::uintptr_t>(plane), row.data(), width) == 0;
      }
    };
    fill(view.luma, view.luma_pitch_bytes, view.size.height);
    fill(view.chroma, view.chroma_pitch_bytes, view.size.height / 2);
    if (!copied || driver_.wait() != 0 || driver_.pop(&mine) != 0) {
      return failure(FailureKind::kInternal, "the driver did not copy a frame");
    }
    return ok_status();
  }

 private:
  std::uint8_t noise() {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<std::uint8_t>(32 + (state_ >> 24) % 192);
  }

  const Driver& driver_;
  void* context_;
  std::uint32_t state_ = 1;
};

class NvencDevice : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    if (const std::string why = load(driver_); !why.empty()) {
      std::cout << "skipped: " << why << "\n";
      GTEST_SKIP() << why;
    }
    ASSERT_EQ(driver_.device(&ordinal_, 0), 0);
    ASSERT_EQ(driver_.retain(&context_, ordinal_), 0);
    auto bridge = CudaBridge::open({context_, ordinal_}, 0);
    ASSERT_TRUE(bridge) << bridge.failure().detail;
    bridge_ = std::move(*bridge);
  }
  void TearDown() override {
    bridge_.reset();
    if (context_ != nullptr) driver_.release(ordinal_);
    MediaTest::TearDown();
  }
  SegmentOrder nvenc_order(const std::string& name, int frames) const {
    SegmentOrder wanted = order(name, frames, {1080, 1920});
    wanted.encoder = EncoderPreference{}.nvenc;
    wanted.cuda = bridge_;
    return wanted;
  }
  // Writes a segment, or says why the card can't.
  std::optional<std::string> refusal(const SegmentOrder& wanted) const {
    FlatFrames frames(driver_, context_);
    return refusal(wanted, frames);
  }
  static std::optional<std::string> refusal(const SegmentOrder& wanted, FrameSource& frames) {
    const Status written = write_segment(frames, wanted);
    if (written) return std::nullopt;
    EXPECT_EQ(written.failure().kind, FailureKind::kEncoder) << written.failure().detail;
    return written.failure().detail;
  }

  Driver driver_;
  int ordinal_ = 0;
  void* context_ = nullptr;
  std::shared_ptr<CudaBridge> bridge_;
};

TEST_F(NvencDevice, APoolsFramesAreLaidOutAsNvencReadsThem) {
  const GstPtr<GstCaps> caps(gst_caps_from_string(
      "video/x-raw(memory:CUDAMemory),format=NV12,width=1080,height=1920,framerate=30/1"));
  const auto pool = bridge_->parts().make_pool(caps.get(), 4);
  ASSERT_TRUE(pool) << pool.failure().detail;
  GstVideoInfo info{};
  gst_video_info_from_caps(&info, caps.get());
  GstBuffer* buffer = nullptr;
  ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool->get(), &buffer, nullptr), GST_FLOW_OK);
  const GstPtr<GstBuffer> owned(buffer);
  const MappedFrame frame(info, buffer, GST_MAP_WRITE | kMapCuda);
  ASSERT_TRUE(frame);
  std::cout << "pitch: " << frame.pitch_bytes(0) << "\n";
  EXPECT_GE(frame.pitch_bytes(0), 1080);
  EXPECT_EQ(frame.plane(1) - frame.plane(0), std::ptrdiff_t{frame.pitch_bytes(0)} * 1920);
}

TEST_F(NvencDevice, SegmentsHaveEveryFrameInItsPlaceAndJoin) {
  AssemblyOrder join;
  join.output = folder_ / "out.mp4";
  for (const int frames : {90, 31}) {
    const SegmentOrder wanted = nvenc_order("s" + std::to_string(frames), frames);
    if (const auto why = refusal(wanted)) {
      std::cout << "skipped: " << *why << "\n";
      GTEST_SKIP() << *why;
    }
    const auto facts = probe_video(wanted.output);
    ASSERT_TRUE(facts) << facts.failure().detail;
    EXPECT_EQ(facts->frames, frames);
    EXPECT_EQ(facts->profile, "High");
    EXPECT_EQ(facts->pixel_format, "yuv420p");
    EXPECT_EQ(facts->color_space, "bt709");
    auto reader = VideoReader::open(wanted.output);
    ASSERT_TRUE(reader);
    for (int i = 0; i < frames; ++i) {
      const auto frame = (*reader)->next();
      ASSERT_TRUE(frame && *frame != nullptr) << i;
      EXPECT_NEAR((*frame)->data[0][960 * (*frame)->linesize[0] + 540], 40 + i, 2) << i;
    }
    join.segments.push_back(wanted.output);
  }
  const Status joined = assemble(join);
  ASSERT_TRUE(joined) << joined.failure().detail;
  EXPECT_EQ(probe_video(join.output)->frames, 121);
}

// NVENC has a buffer of its own choice; a second of it, as x264's, is what the limit allows.
TEST_F(NvencDevice, NoSecondHoldsMoreThanLimitAndBuffer) {
  const SegmentOrder wanted = nvenc_order("busy.mp4", 120);
  BusyFrames frames(driver_, context_);
  if (const auto why = refusal(wanted, frames)) {
    std::cout << "skipped: " << *why << "\n";
    GTEST_SKIP() << *why;
  }
  const int peak = peak_kbps(wanted.output, 30);
  RecordProperty("peak_kbps", peak);
  EXPECT_LE(peak, 2 * wanted.encoder.max_bitrate_kbps);
}

}  // namespace
}  // namespace pytoon::media
