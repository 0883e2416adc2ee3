// What drawing and encoding one segment takes of a GPU, before anything of it is taken: the figure
// that a promise of memory is made for.
//
// Bytes. Two kinds of figures, never to be confused:
//  - pool_bytes is what the device's memory account will count at its peak (gpu/device.h), computed
//    by the functions that the device allocates by (gpu/memory_layout.h). Where all files' facts
//    are known it is exact; what is not known (a cut-out's outline, a file that is not here) is
//    counted at its largest. Never less than the account's peak.
//  - encoder, decoder and context are what the driver takes for them, which nothing tells
//    beforehand: estimates, from DriverCosts.
//
// Counted as if nothing were cached. Not counted: images that the cache keeps of other segments
// (they go when memory is asked for, and are bounded by the cache's own bound), what the driver's
// pool keeps unused, host memory, and a clip whose frames grow in the middle of it.
//
// Thread rule: values.
#pragma once

#include <chrono>
#include <cstdint>

#include "pipeline/media/video_format.h"

namespace pytoon::render {

// What a driver takes for its own things. The context as measured on an H100 with driver 580; the
// encoder's and decoder's share is assumed, since no card was at hand to measure it.
struct DriverCosts {
  std::uint64_t context_bytes = std::uint64_t{540} << 20;
  // Of an NVENC session beside its frames; frames it keeps for itself, references among them.
  std::uint64_t encoder_session_bytes = std::uint64_t{48} << 20;
  int encoder_frames = 8;
  // Of an NVDEC decoder beside its surfaces; a stream may need 16 references, each of them decoded
  // into one surface and lent as another.
  std::uint64_t decoder_bytes = std::uint64_t{32} << 20;
  int decoder_surfaces = 2 * (16 + 2);
  // The pool takes memory from the card in pieces of this size.
  std::uint64_t pool_piece_bytes = std::uint64_t{32} << 20;
};

// Where, and how, the segment is to be rendered.
struct RenderMachine {
  bool composes_on_cuda = true;  // else no memory of a GPU is taken at all
  bool has_context = true;       // the process holds its CUDA context already
  bool decodes_clips = false;    // by NVDEC
  int batch_frames = 1;          // of the device (gpu::Device::batch_frames)
  int compositors = 1;           // at once in this segment, each with decoders and encoder
  media::EncoderSettings encoder;
  DriverCosts driver;
  // Pixels that one encoder takes in a second; 0: a usual figure of the codec.
  double encoded_pixels_per_second = 0;
};

// Bytes of the device's account at one moment, by what they are for.
struct PoolUse {
  std::uint64_t textures = 0;  // images, captions, logo
  std::uint64_t clips = 0;     // frames of clips that were copied to the card
  std::uint64_t frames = 0;    // frames in flight to the host
  std::uint64_t layers = 0;    // lists of layers
  std::uint64_t uploads = 0;   // pixels as they came, until they are converted
  std::uint64_t total() const { return textures + clips + frames + layers + uploads; }
};

struct SegmentCost {
  PoolUse pool;  // at its peak
  std::uint64_t encoder_bytes = 0;
  std::uint64_t decoder_bytes = 0;
  std::uint64_t context_bytes = 0;
  std::uint64_t pool_piece_bytes = 1;
  int encoder_sessions = 0;               // of NVENC, at once
  int pieces = 1;                         // encoded at once
  std::chrono::milliseconds expected{0};  // a plain estimate of drawing and encoding, alone

  std::uint64_t pool_bytes() const { return pool.total(); }
  // What the card has less: the pool in whole pieces, and all that the driver takes.
  std::uint64_t vram_bytes() const {
    const std::uint64_t taken = (pool_bytes() + pool_piece_bytes - 1) / pool_piece_bytes;
    return taken * pool_piece_bytes + encoder_bytes + decoder_bytes + context_bytes;
  }
};

}  // namespace pytoon::render
