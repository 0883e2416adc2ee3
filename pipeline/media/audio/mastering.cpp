#include "pipeline/media/audio/mastering.h"

#include <string>

#include "base/check.h"

namespace pytoon::media {
namespace {

constexpr double kCloseEnoughLu = 0.15;
constexpr int kRoundsMax = 4;
// True peaks of common audio are less than this above its samples.
constexpr double kBetweenSamplesDb = 3;
// Near the goal a decibel of gain is worth about this much loudness through the limiter.
constexpr double kYield = 0.8;

std::string limited(double gain_db, double ceiling_dbtp, std::size_t samples) {
  const std::string length = std::to_string(samples);
  return "[in0]volume=volume=" + std::to_string(db_to_linear(gain_db)) +
         ":precision=float,aresample=192000,alimiter=limit=" +
         std::to_string(db_to_linear(ceiling_dbtp)) +
         ":attack=5:release=50:level=0:latency=1,aresample=48000,apad=whole_len=" + length +
         ",atrim=end_sample=" + length + "," + loudness_filter(false);
}

Pcm amplified(const Pcm& mix, double gain_db) {
  Pcm louder = mix;
  const auto gain = static_cast<float>(db_to_linear(gain_db));
  for (std::vector<float>& channel : louder.channels) {
    for (float& sample : channel) sample *= gain;
  }
  return louder;
}

}  // namespace

Result<Master> master_audio(const Pcm& mix, std::optional<double> lufs, const MasterOrder& order,
                            const CancelToken& cancel) {
  const double wanted_db = lufs ? order.target_lufs - *lufs : 0;
  double gain_db = std::min(wanted_db, order.gain_max_db);
  const double peak_db = linear_to_db(mix.peak());  // -inf for silence
  if (peak_db + gain_db + kBetweenSamplesDb <= order.ceiling_dbtp) {
    return Master{amplified(mix, gain_db), gain_db};
  }
  for (int round = 1;; ++round) {
    Result<FilterResult> made =
        run_graph(limited(gain_db, order.ceiling_dbtp, mix.size()), {&mix}, cancel);
    if (!made) return made.failure();
    CHECK(made->audio.size() == mix.size(), "limiting changed the length");
    const std::optional<double> reached = noted_loudness(made->notes).integrated_lufs;
    const double missing_db = lufs && reached ? order.target_lufs - *reached : 0;
    const double next_db = std::min(gain_db + missing_db / kYield, order.gain_max_db);
    const bool settled = std::abs(missing_db) <= kCloseEnoughLu || next_db == gain_db;
    if (settled || round == kRoundsMax) return Master{std::move(made->audio), gain_db};
    gain_db = next_db;
  }
}

}  // namespace pytoon::media
