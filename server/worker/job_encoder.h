// Which encoder a job is made with. All its segments are made with one; when NVENC is not to be had
// where the job is worked on, or fails, the job goes over to x264 once and for all, and says so.
// The renderer knows the encoders, the worker keeps what is decided here.
//
// Thread rule: plain functions. decide_encoder() hashes, so it takes milliseconds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/render/renderer.h"
#include "server/jobs/job.h"

namespace pytoon::worker {

struct EncoderDecision {
  std::string encoder;    // as the renderer calls it
  std::string from;       // the one that the job has to do without; "" when it has the best
  std::string reason;     // why
  bool switched = false;  // segments were made with `from` already, or tried

  // For people and metadata.json: "h264_nvenc gave way to libx264: <reason>"; "" without `from`.
  std::string degraded() const;
};

// What degraded() said, read back from where it was kept; nullopt for any other text.
std::optional<EncoderDecision> read_degraded(const std::string& text);

// For a job that is taken up. One that went over to another encoder stays with that: a row's error
// tells. Finished segments tell what it was begun with: it goes on with that, or, where that
// encoder can't be used, with the last. A new job gets the best there is.
Result<EncoderDecision> decide_encoder(render::Renderer& renderer, render::RenderJob job,
                                       const std::vector<jobs::Segment>& segments);

// After a segment failed with `encoder`: the last encoder, for all segments from now on; nullopt
// when it was no encoder's failure, or the last one's.
std::optional<EncoderDecision> decide_after(const Failure& failure,
                                            const render::Renderer& renderer,
                                            const std::string& encoder);

}  // namespace pytoon::worker
