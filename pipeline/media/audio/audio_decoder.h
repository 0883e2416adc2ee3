// Decodes an audio file, frame after frame, in the file's own rate and channels.
//
// Safe on hostile files: the container is the one that the first bytes name, only file: may be
// opened, only a short list of decoders is allowed, and sizes are bounded. What is damaged is
// skipped and counted; damaged() tells whether it is too much.
//
// Thread rule: one thread at a time. Blocks on the disk.
// Errors: kUnsupportedType (not audio, no audio in it, a codec we don't take, protected by DRM),
// kMalformed (can't be decoded), kInvalid (rate or channels out of range), kNotFound, kIo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "pipeline/media/audio/audio_format.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

inline constexpr int kAudioRateMin = 8'000;  // Hz
inline constexpr int kAudioRateMax = 192'000;
inline constexpr int kAudioChannelsMax = 8;

class AudioDecoder {
 public:
  static Result<std::unique_ptr<AudioDecoder>> open(const std::filesystem::path& path);
  // For open().
  AudioDecoder(InputPtr input, CodecPtr codec, int stream, AudioFormat format);

  const AudioFormat& format() const { return format_; }
  int channels() const { return codec_->ch_layout.nb_channels; }
  int sample_rate() const { return codec_->sample_rate; }
  // Samples that the file says it has; 0 when it does not say, or says what streams say.
  std::int64_t declared_samples() const;

  // The next frame, valid until the next call; null after the last.
  Result<const AVFrame*> next();
  // Of what was read so far.
  bool damaged() const;

 private:
  Status feed();
  Status check_frame() const;

  InputPtr input_;
  CodecPtr codec_;
  const int stream_;
  const AudioFormat format_;
  PacketPtr packet_;
  FramePtr frame_;
  bool ended_ = false;
  std::int64_t packets_ = 0;
  std::int64_t bad_ = 0;
};

}  // namespace pytoon::media
