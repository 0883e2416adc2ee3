// Which encoder a job is made with, and with it which device composes it
// (pipeline/render/compositor_choice.h). All its segments are made with one; when NVENC is not to
// be had where the job is prepared, or fails, or the GPU's memory is exhausted, the job goes over
// to x264 on the CPU once and for all, and says so.
// The renderer knows the encoders, the store keeps what is decided here. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/render/renderer.h"

namespace pytoon::worker {

struct EncoderDecision {
  std::string encoder;  // as the renderer calls it
  std::string from;     // the one that the job has to do without; "" when it has the best
  std::string reason;   // why

  // For people and metadata.json: "h264_nvenc gave way to libx264: <reason>"; "" without `from`.
  std::string degraded() const;
};

// For a job that is prepared. begun_with is the encoder of an earlier run: it goes on with that,
// or, where that can't be used, with the last; "" gets the best there is.
EncoderDecision decide_encoder(const std::vector<render::Encoder>& encoders,
                               const std::string& begun_with);

// After a segment failed with `encoder`: the last encoder, for all segments from now on; nullopt
// when it was neither an encoder's failure nor a GPU without memory, or the last one's.
std::optional<EncoderDecision> decide_after(const Failure& failure,
                                            const std::vector<render::Encoder>& encoders,
                                            const std::string& encoder);

}  // namespace pytoon::worker
