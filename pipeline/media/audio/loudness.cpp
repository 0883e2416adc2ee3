#include "pipeline/media/audio/loudness.h"

namespace pytoon::media {
namespace {

constexpr double kGateLufs = -70;  // BS.1770's absolute gate; also what the filter says for silence

double note(const std::map<std::string, double>& notes, const char* name) {
  const auto found = notes.find(name);
  return found == notes.end() ? 0 : found->second;
}

}  // namespace

std::string loudness_filter(bool true_peak) {
  return std::string("ebur128=metadata=1:framelog=verbose") + (true_peak ? ":peak=true" : "");
}

Loudness noted_loudness(const std::map<std::string, double>& notes) {
  Loudness loudness;
  const auto integrated = notes.find("lavfi.r128.I");
  if (integrated != notes.end() && integrated->second > kGateLufs) {
    loudness.integrated_lufs = integrated->second;
    loudness.range_lu = note(notes, "lavfi.r128.LRA");
  }
  const double peak =
      std::max(note(notes, "lavfi.r128.true_peaks_ch0"), note(notes, "lavfi.r128.true_peaks_ch1"));
  if (peak > 0) loudness.true_peak_dbtp = linear_to_db(peak);
  return loudness;
}

Result<Loudness> measure_loudness(const Pcm& audio, bool true_peak, const CancelToken& cancel) {
  Result<FilterResult> passed = run_graph("[in0]" + loudness_filter(true_peak), {&audio}, cancel);
  if (!passed) return passed.failure();
  return noted_loudness(passed->notes);
}

}  // namespace pytoon::media
