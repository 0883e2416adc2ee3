// How loud audio is. Integrated loudness, range and true peak as ITU-R BS.1770-4, EBU R128 and EBU
// Tech 3342 define them, measured by libavfilter's ebur128.
//
// Thread rule: any thread. Blocks. Errors: kCancelled, kOutOfMemory, kMedia.
#pragma once

#include <optional>
#include <string>

#include "pipeline/media/audio/filter_graph.h"

namespace pytoon::media {

struct Loudness {
  std::optional<double> integrated_lufs;  // none: all of it is below -70 LUFS, silence
  double range_lu = 0;
  std::optional<double> true_peak_dbtp;  // none: not measured, or digital silence
};

// Filters that note the loudness of what passes, to be put at the end of a graph.
std::string loudness_filter(bool true_peak);
// From the notes of such a graph.
Loudness noted_loudness(const std::map<std::string, double>& notes);

Result<Loudness> measure_loudness(const Pcm& audio, bool true_peak, const CancelToken& cancel);

}  // namespace pytoon::media
