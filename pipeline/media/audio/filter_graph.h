// Runs audio in memory through one libavfilter graph.
//
// The graph is text in FFmpeg's language; each input is named [in0], [in1], ... in it and the
// result [out]. All audio is float, 48 kHz, stereo at both ends. One thread, so the same input
// gives the same bytes.
//
// Thread rule: any thread. Blocks for about 1/100 of the audio's length.
// Errors: kCancelled, kOutOfMemory, kMedia (the graph refused).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

struct FilterResult {
  Pcm audio;
  // What filters wrote beside the samples; the last value of each name, in libavfilter's spelling.
  std::map<std::string, double> notes;
};

Result<FilterResult> run_graph(const std::string& graph, const std::vector<const Pcm*>& inputs,
                               const CancelToken& cancel);

}  // namespace pytoon::media
