// Which encoders this process can use: NVENC on a CUDA device that has it, x264 everywhere. What a
// card can do is found out by encoding frames with it, not by its name: an H100 or A100 has no
// encoder at all, and one that has may be too old for the driver, or taken by others.
//
// Thread rule: plain values; choose_encoder() from one thread at start. It blocks for up to a
// second where there is a GPU, and not at all where there is none.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/cuda_bridge.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

// What the qualities that a job may ask for mean to an encoder, by their names.
using EncoderGrades = std::map<std::string, EncoderSettings, std::less<>>;

struct EncoderPreference {
  enum class Codec {
    kAuto,   // NVENC where a CUDA device has it, else x264
    kNvenc,  // or nothing
    kX264,
  };
  Codec codec = Codec::kAuto;
  EncoderSettings x264;
  EncoderSettings nvenc{.codec = kCodecNvenc, .preset = "p5", .crf = 21, .b_frames = 2};
  EncoderGrades x264_grades;
  EncoderGrades nvenc_grades;
  int nvenc_sessions = 0;  // at once on the card; 0: as many as it allows
};

struct EncoderOption {
  EncoderSettings settings;
  EncoderGrades grades;     // of qualities that are not made with these settings as they are
  std::string unavailable;  // why it can't be used here; "" when it can
  bool expected = false;    // a job that has to do without it here is degraded

  const EncoderSettings& settings_for(std::string_view quality) const;
};

struct EncoderChoice {
  std::vector<EncoderOption> options{EncoderOption{}};  // best first; the last is x264
  std::shared_ptr<CudaBridge> cuda;                     // when NVENC can be used
};

// Draws and encodes a few frames with NVENC if it is wished for, in a file in `scratch` that goes
// again, and reads them back. Only Codec::kNvenc can fail: kUnavailable with the reason. The device
// must outlive the choice.
Result<EncoderChoice> choose_encoder(const EncoderPreference& preference, gpu::Device& device,
                                     const std::filesystem::path& scratch);

}  // namespace pytoon::media
