// The fixed shape of every video we make and how it is encoded.
#pragma once

#include <cstdint>
#include <string>

#include "gpu/image.h"

namespace pytoon::media {

// 1080x1920 at 30/1 in production; tests use smaller frames.
struct VideoFormat {
  gpu::Size size{1080, 1920};
  int frames_per_second = 30;
};

inline constexpr char kCodecX264[] = "libx264";
inline constexpr char kCodecNvenc[] = "h264_nvenc";

// Everything that decides an encoder's bytes. Part of content keys by fingerprint(): a constant,
// never the machine's core count.
struct EncoderSettings {
  std::string codec = kCodecX264;
  std::string preset = "veryfast";  // NVENC's are p1 to p7
  int crf = 19;                     // NVENC's constant quality, cq
  int max_bitrate_kbps = 12000;     // 0: no limit
  int vbv_buffer_kbits = 12000;     // x264; NVENC has none with constant quality
  int gop_frames = 60;
  int piece_frames = 45;     // x264: at most so many are encoded as one piece (pieces.h)
  int b_frames = 3;          // in a row
  int reference_frames = 2;  // x264; NVENC chooses its own
  // x264, of one piece. Pieces in parallel use the cores as well; more threads are for machines
  // with more cores than their jobs have pieces (config/engine.yaml).
  int threads = 1;

  // The codec works on frames in CUDA memory; every other one on frames in system memory.
  bool takes_cuda_frames() const { return codec == kCodecNvenc; }
  std::string fingerprint() const;
};

}  // namespace pytoon::media
