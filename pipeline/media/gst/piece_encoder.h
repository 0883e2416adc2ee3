// Draws and encodes one piece of a segment into memory. A GStreamer pipeline built in code: our
// compositor source (pushes NV12), a short queue, so that the next frames are drawn while the last
// ones are encoded, our encoder over libavcodec, our packet sink.
// Where x264 does not keep to the bitrate cap, the piece is drawn and encoded a second time with a
// limit (pieces.h).
//
// Thread rule: any thread, for different FrameSources at once. Blocks until it is encoded; an
// encoder that takes CUDA frames waits for one of the bridge's sessions first. Errors: as
// write_segment().
#pragma once

#include <functional>
#include <vector>

#include "pipeline/media/gst/packet_sink.h"
#include "pipeline/media/pieces.h"
#include "pipeline/media/segment_writer.h"

namespace pytoon::media {

struct EncodedPiece {
  FrameRange range;
  ParameterSets sets;
  std::vector<EncodedFrame> frames;  // in decoding order; all of the range
};

// stop: in place of the order's own token. on_frame: called for each frame drawn; may be empty.
Result<EncodedPiece> encode_piece(FrameSource& frames, const FrameRange& range,
                                  const SegmentOrder& order, const CancelToken& stop,
                                  std::function<void()> on_frame);

}  // namespace pytoon::media
