#include "pipeline/media/encoder_choice.h"

#include <system_error>
#include <utility>

#include "base/files.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/media/video_probe.h"

namespace pytoon::media {
namespace {

namespace fs = std::filesystem;

constexpr int kProbeFrames = 8;  // a few groups of B-frames, more than the encoder holds back

// Frames as a job's: drawn by the device, a bright square on its way over black.
class ProbeFrames final : public FrameSource {
 public:
  static Result<std::unique_ptr<ProbeFrames>> make(gpu::Device& device) {
    auto square = device.upload(gpu::RgbaImage({256, 256}, {220, 180, 40, 255}));
    if (!square) return square.failure();
    return std::make_unique<ProbeFrames>(std::move(*square), device.make_compositor());
  }
  ProbeFrames(std::shared_ptr<const gpu::Texture> square,
              std::unique_ptr<gpu::Compositor> compositor)
      : square_(std::move(square)), compositor_(std::move(compositor)) {}

  Status draw(int index, const gpu::Nv12Target& target) override {
    const int at = 64 * index;
    gpu::Composition composition;
    composition.base.push_back({.texture = square_,
                                .x = {.origin = -static_cast<double>(at)},
                                .y = {.origin = -static_cast<double>(at)},
                                .clip = {at, at, 256, 256}});
    return compositor_->compose(composition, target);
  }

 private:
  std::shared_ptr<const gpu::Texture> square_;
  std::unique_ptr<gpu::Compositor> compositor_;
};

Failure out_of_contract(const std::string& what) {
  return failure(FailureKind::kEncoder, std::string(kCodecNvenc) + " gave a video with " + what);
}

// What the encoder made must be what every segment has to be.
Status check_video(const fs::path& file) {
  const Result<VideoFacts> facts = probe_video(file);
  if (!facts) return facts.failure();
  if (facts->frames != kProbeFrames) {
    return out_of_contract(std::to_string(facts->frames) + " frames for " +
                           std::to_string(kProbeFrames));
  }
  if (facts->profile != "High") return out_of_contract("the profile " + facts->profile);
  if (facts->pixel_format != "yuv420p") return out_of_contract("pixels in " + facts->pixel_format);
  if (facts->color_space != "bt709") return out_of_contract("the colours " + facts->color_space);
  return ok_status();
}

Status probe_nvenc(const EncoderSettings& settings, gpu::Device& device,
                   const std::shared_ptr<CudaBridge>& bridge, const fs::path& scratch) {
  Result<std::unique_ptr<ProbeFrames>> frames = ProbeFrames::make(device);
  if (!frames) return frames.failure();
  std::error_code error;
  fs::create_directories(scratch, error);
  SegmentOrder order;
  order.encoder = settings;
  order.cuda = bridge;
  order.frame_count = kProbeFrames;
  order.output = temporary_beside(scratch / "encoder-probe.mp4");
  Status good = write_segment(**frames, order);
  if (good) good = check_video(order.output);
  fs::remove(order.output, error);
  return good;
}

// The bridge when NVENC works, else why it doesn't.
Result<std::shared_ptr<CudaBridge>> find_nvenc(const EncoderPreference& preference,
                                               gpu::Device& device, const fs::path& scratch) {
  const std::optional<gpu::CudaHandles> handles = device.cuda_handles();
  if (!handles) {
    return failure(
        FailureKind::kUnavailable,
        "NVENC encodes frames of a CUDA device, and the device here is " + device.description());
  }
  Result<std::shared_ptr<CudaBridge>> bridge =
      CudaBridge::open(*handles, preference.nvenc_sessions);
  if (!bridge) return bridge;
  const Status works = probe_nvenc(preference.nvenc, device, *bridge, scratch);
  if (!works) return works.failure();
  return bridge;
}

}  // namespace

const EncoderSettings& EncoderOption::settings_for(std::string_view quality) const {
  const auto grade = grades.find(quality);
  return grade == grades.end() ? settings : grade->second;
}

Result<EncoderChoice> choose_encoder(const EncoderPreference& preference, gpu::Device& device,
                                     const fs::path& scratch) {
  EncoderChoice choice;
  EncoderOption nvenc{.settings = preference.nvenc, .grades = preference.nvenc_grades};
  if (preference.codec == EncoderPreference::Codec::kX264) {
    nvenc.unavailable = "the configuration chose x264";
  } else {
    nvenc.expected = device.cuda_handles().has_value();
    Result<std::shared_ptr<CudaBridge>> found = find_nvenc(preference, device, scratch);
    if (found) {
      choice.cuda = std::move(*found);
    } else if (preference.codec == EncoderPreference::Codec::kNvenc) {
      return failure(FailureKind::kUnavailable, found.failure().detail);
    } else {
      nvenc.unavailable = found.failure().detail;
    }
  }
  choice.options = {std::move(nvenc),
                    EncoderOption{.settings = preference.x264, .grades = preference.x264_grades}};
  return choice;
}

}  // namespace pytoon::media
