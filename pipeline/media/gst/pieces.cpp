#include "pipeline/media/pieces.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"

namespace pytoon::media {
namespace {

constexpr int kThreadsOfLonePiece = 2;

}  // namespace

std::vector<FrameRange> pieces_of(int frame_count, const EncoderSettings& settings) {
  CHECK(frame_count >= 0 && settings.piece_frames >= 1, "a piece has at least one frame");
  const int most = settings.piece_frames;
  const int count = settings.takes_cuda_frames() ? 1 : (frame_count + most - 1) / most;
  std::vector<FrameRange> pieces;
  for (int i = 0; i < count; ++i) {
    pieces.push_back({frame_count * i / count, frame_count * (i + 1) / count});
  }
  return pieces;
}

EncoderSettings settings_of_pieces(const EncoderSettings& segment, std::size_t pieces) {
  EncoderSettings settings = segment;
  if (pieces == 1) settings.threads = std::max(segment.threads, kThreadsOfLonePiece);
  return settings;
}

EncoderSettings without_limit(const EncoderSettings& segment) {
  EncoderSettings settings = segment;
  settings.max_bitrate_kbps = 0;
  return settings;
}

EncoderSettings with_limit(const EncoderSettings& segment, const FrameRange& piece,
                           int frames_per_second) {
  EncoderSettings settings = segment;
  settings.threads = 1;
  const int budget_kbits = segment.max_bitrate_kbps * piece.count() / frames_per_second;
  settings.vbv_buffer_kbits = std::max(1, std::min(segment.vbv_buffer_kbits, budget_kbits) / 2);
  const int start_kbps =
      (settings.vbv_buffer_kbits * frames_per_second + piece.count() - 1) / piece.count();
  settings.max_bitrate_kbps = std::max(1, segment.max_bitrate_kbps - start_kbps);
  return settings;
}

bool within_limit(const std::vector<std::size_t>& unit_bytes, const EncoderSettings& segment,
                  int frames_per_second) {
  // In bits times frames a second, so that all is whole: a frame's time lets in `rate`.
  const std::int64_t rate = std::int64_t{segment.max_bitrate_kbps} * 1000;
  const std::int64_t buffer = std::int64_t{segment.vbv_buffer_kbits} * 1000 * frames_per_second;
  std::int64_t all = 0;      // over what the rate lets in
  std::int64_t highest = 0;  // `all` at its highest so far
  std::int64_t lowest = 0;   // and at its lowest
  std::int64_t within = 0;   // the most that it rose
  for (const std::size_t bytes : unit_bytes) {
    all += static_cast<std::int64_t>(bytes) * 8 * frames_per_second - rate;
    highest = std::max(highest, all);
    within = std::max(within, all - lowest);
    lowest = std::min(lowest, all);
  }
  return all <= 0 && highest <= buffer / 2 && all - lowest <= buffer / 2 && within <= buffer;
}

}  // namespace pytoon::media
