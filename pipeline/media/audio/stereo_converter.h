// Decoded frames of any rate, depth and channels as stereo at 48 kHz, appended to a Pcm. A stream
// may change its form on the way.
//
// Thread rule: one thread at a time. Errors: kMalformed (no mix-down for such channels),
// kOutOfMemory.
#pragma once

extern "C" {
#include <libswresample/swresample.h>
}

#include <memory>

#include "base/result.h"
#include "pipeline/media/audio/pcm.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class StereoConverter {
 public:
  explicit StereoConverter(Pcm& out) : out_(out) {}
  ~StereoConverter();
  StereoConverter(const StereoConverter&) = delete;
  StereoConverter& operator=(const StereoConverter&) = delete;

  Status convert(const AVFrame& frame);
  Status finish();  // what the resampler still holds

 private:
  struct Free {
    void operator()(SwrContext* context) const { swr_free(&context); }
  };

  bool fits(const AVFrame& frame) const;
  Status prepare(const AVFrame& frame);
  Status append(const AVFrame* frame);

  Pcm& out_;
  std::unique_ptr<SwrContext, Free> resampler_;
  AVChannelLayout layout_{};
  int format_ = AV_SAMPLE_FMT_NONE;
  int rate_ = 0;
};

}  // namespace pytoon::media
