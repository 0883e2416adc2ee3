// The division of a segment into pieces. A piece is the unit of encoding: a closed GOP of at most
// EncoderSettings::piece_frames frames that needs nothing of its neighbours, so that any thread may
// encode it at any time. Pieces joined in order are the segment's stream.
//
// The division follows from the segment's length and the settings alone, never from the number of
// cores: it decides bytes, and the settings are in the content key.
//
// Pure functions, safe from any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "pipeline/media/video_format.h"

namespace pytoon::media {

struct FrameRange {
  int first = 0;  // of the segment
  int last = 0;   // behind the last one
  int count() const { return last - first; }
  bool operator==(const FrameRange&) const = default;
};

// As few pieces as may be, whose lengths differ by a frame at most, in order. A hardware encoder's
// segment is one piece: its sessions are few, and it has no cores to share.
std::vector<FrameRange> pieces_of(int frame_count, const EncoderSettings& settings);

// What a segment of so many pieces is encoded with: one that is a single piece gets a second x264
// thread, since no other piece of it would use a second core. From the division alone, too.
EncoderSettings settings_of_pieces(const EncoderSettings& segment, std::size_t pieces);

// How the bitrate cap holds across the seams. An encoder that starts each piece with a full buffer
// may spend a whole buffer anew in every piece, and short pieces would exceed the cap for good. So
// that any window of the joined stream holds at most rate * window + buffer, and the stream at most
// its rate on the average, each piece of L seconds keeps to this by itself:
//   its first and its last t seconds hold at most rate * t + buffer / 2, for every t;
//   any t seconds within it hold at most rate * t + buffer;
//   all of it holds at most rate * L.
//
// Most pieces do so at the wanted quality with no limit set, and a limit that is set costs quality
// long before it is reached, since the encoder looks ahead with care. Therefore a piece is encoded
// without one first; where that does not keep to it (images like noise) it is encoded anew with one
// that does: a buffer of b = min(buffer, rate * L) / 2 and the rate r = rate - b / L, which hold
// any t seconds to r * t + b, and all of the piece to rate * L.

// The same quality with no limit.
EncoderSettings without_limit(const EncoderSettings& segment);
// The same quality as far as the limit lets it, for x264. On one thread, for the same bytes every
// time: under a limit x264's threads look at each other's progress while it happens.
EncoderSettings with_limit(const EncoderSettings& segment, const FrameRange& piece,
                           int frames_per_second);
// Whether a piece whose access units have these sizes, in decoding order, keeps to the limit.
bool within_limit(const std::vector<std::size_t>& unit_bytes, const EncoderSettings& segment,
                  int frames_per_second);

}  // namespace pytoon::media
