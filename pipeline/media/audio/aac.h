// Audio as AAC and back: AAC-LC, 192 kbit/s, 48 kHz, stereo.
//
// An encoder starts with 1,024 samples that are not part of the audio, its priming. The packet that
// holds them alone is left out, so that the audio begins at 0 without an edit list to hide it. A
// decoder that begins with the next packet has nothing to overlap its first half-window with: the
// first 1,024 samples (21 ms) fade in, all others are as encoded. Packet times count from the
// audio's first sample. Nothing in the packets tells which version made them. Same audio, same
// bytes.
//
// Thread rule: any thread. Blocks. Errors: kCancelled, kOutOfMemory, kMedia.
#pragma once

#include <vector>

#include "base/cancel.h"
#include "pipeline/media/audio/pcm.h"
#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/mp4_writer.h"

namespace pytoon::media {

inline constexpr int kAudioBitrate = 192'000;

struct AacAudio {
  AacFormat format;
  std::vector<PacketPtr> packets;  // times in samples
};

Result<AacAudio> encode_aac(const Pcm& audio, const CancelToken& cancel);
// What a player hears, exactly `samples` samples.
Result<Pcm> decode_aac(const AacAudio& encoded, std::size_t samples, const CancelToken& cancel);

}  // namespace pytoon::media
