// Audio as AAC and back: AAC-LC, 192 kbit/s, 48 kHz, stereo.
//
// An encoder starts with `priming` samples that are not part of the audio; packet times count from
// the audio's first sample, so the first packet's is -priming. Nothing in the packets tells which
// version made them. Same audio, same bytes.
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
// What a player hears: the priming cut off, exactly `samples` samples.
Result<Pcm> decode_aac(const AacAudio& encoded, std::size_t samples, const CancelToken& cancel);

}  // namespace pytoon::media
