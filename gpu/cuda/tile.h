// The frame kernel's block: one tile of the frame, all layers, drawn in the block's own memory and
// written out once. It is written as steps that all threads of the block take together, each step
// a function of the thread's number with a barrier after it, so that the same code runs on the
// device (one thread each) and in tests on the host (a loop over the threads).
//
// A thread draws the same samples in every layer, neighbours lying side by side in a warp: texture
// reads and tile accesses coalesce. Filter taps are made once a tile, row and column, and shared.
// Layers that miss the tile, or lie under one that hides them there, cost a comparison.
#pragma once

#include <cstring>

#include "gpu/cuda/sampling.h"

namespace pytoon::gpu::cuda {

inline constexpr int kTileWidth = 128;  // px
inline constexpr int kTileHeight = 16;
inline constexpr int kThreads = 256;
inline constexpr int kChromaWidth = kTileWidth / 2;  // samples
inline constexpr int kChromaHeight = kTileHeight / 2;
inline constexpr int kRowWords = kTileWidth / 4;  // of luma and chroma alike
inline constexpr int kLumaWords = kRowWords * kTileHeight;
inline constexpr int kImageWords = kLumaWords + kRowWords * kChromaHeight;
static_assert(kTileWidth + kTileHeight + kChromaWidth + kChromaHeight <= kThreads,
              "each thread makes at most one tap");

// What the threads of a block share.
struct TileMemory {
  Tap luma_x[kTileWidth];
  Tap luma_y[kTileHeight];
  Tap chroma_x[kChromaWidth];
  Tap chroma_y[kChromaHeight];
  // Luma rows, then chroma rows; the second image holds the incoming one. Words, for alignment.
  std::uint32_t picture[2][kImageWords];
};

struct Tile {
  int x = 0;  // px, even
  int y = 0;
  int width = 0;  // the part inside the frame, even
  int height = 0;
};

static PYTOON_HOST_DEVICE Tile tile_at(const Size& frame, int column, int row) {
  const int x = column * kTileWidth;
  const int y = row * kTileHeight;
  return {x, y, frame.width - x < kTileWidth ? frame.width - x : kTileWidth,
          frame.height - y < kTileHeight ? frame.height - y : kTileHeight};
}

static PYTOON_HOST_DEVICE std::uint8_t* bytes_of(std::uint32_t* words) {
  return reinterpret_cast<std::uint8_t*>(words);
}

static PYTOON_HOST_DEVICE bool holds(const Rect& area, int x, int y) {
  return x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;
}

static PYTOON_HOST_DEVICE bool touches(const Rect& area, const Tile& tile) {
  return area.x < tile.x + tile.width && area.x + area.width > tile.x &&
         area.y < tile.y + tile.height && area.y + area.height > tile.y;
}

static PYTOON_HOST_DEVICE bool hides(const LayerJob& layer, const Tile& tile) {
  const Rect& area = layer.luma.area;
  return layer.replaces != 0 && area.x <= tile.x && area.y <= tile.y &&
         area.x + area.width >= tile.x + tile.width && area.y + area.height >= tile.y + tile.height;
}

// The last of layers[begin .. end) that hides all beneath it in the tile, else begin - 1.
static PYTOON_HOST_DEVICE int last_hiding(const LayerJob* layers, int begin, int end,
                                          const Tile& tile) {
  int i = end - 1;
  while (i >= begin && !hides(layers[i], tile)) --i;
  return i;
}

static PYTOON_HOST_DEVICE void blacken(std::uint32_t* picture, int thread) {
  constexpr std::uint32_t kOnes = 0x01010101U;
  for (int i = thread; i < kImageWords; i += kThreads) {
    picture[i] =
        kOnes * static_cast<std::uint32_t>(i < kLumaWords ? kLumaRange.low : kChromaNeutral);
  }
}

// Thread t makes the t-th of all taps of the tile.
static PYTOON_HOST_DEVICE void make_taps(const LayerJob& layer, const Tile& tile,
                                         TileMemory& memory, int thread) {
  const PlaneJob& luma = layer.luma;
  const PlaneJob& chroma = layer.chroma;
  int i = thread;
  if (i < kTileWidth) {
    memory.luma_x[i] = tap_at(luma.origin_x, layer.step_x, tile.x + i, luma.width);
    return;
  }
  i -= kTileWidth;
  if (i < kChromaWidth) {
    memory.chroma_x[i] = tap_at(chroma.origin_x, layer.step_x, tile.x / 2 + i, chroma.width);
    return;
  }
  i -= kChromaWidth;
  if (i < kTileHeight) {
    memory.luma_y[i] = tap_at(luma.origin_y, layer.step_y, tile.y + i, luma.height);
    return;
  }
  i -= kTileHeight;
  if (i < kChromaHeight) {
    memory.chroma_y[i] = tap_at(chroma.origin_y, layer.step_y, tile.y / 2 + i, chroma.height);
  }
}

struct TapRows {
  const Tap* x;
  const Tap* y;
};

// Draws a plane's samples in the tile whose corner is frame sample (left, top).
template <int C, int Columns, int Rows>
static PYTOON_HOST_DEVICE void draw_plane(const PlaneJob& plane, int opacity_256,
                                          const TapRows& taps, int left, int top,
                                          std::uint8_t* picture, int thread) {
  PYTOON_ROLLED
  for (int i = thread; i < Columns * Rows; i += kThreads) {
    const int column = i % Columns;
    const int row = i / Columns;
    if (!holds(plane.area, left + column, top + row)) continue;
    std::uint8_t* frame = picture + C * i;
    if (plane.as_is != 0) {
      draw_as_is<C>(plane, opacity_256, left + column, top + row, frame);
    } else {
      draw_resampled<C>(plane, opacity_256, taps.x[column], taps.y[row], frame);
    }
  }
}

static PYTOON_HOST_DEVICE void draw_layer(const LayerJob& layer, const Tile& tile,
                                          TileMemory& memory, int picture, int thread) {
  std::uint8_t* luma = bytes_of(memory.picture[picture]);
  draw_plane<1, kTileWidth, kTileHeight>(
      layer.luma, layer.opacity_256, {memory.luma_x, memory.luma_y}, tile.x, tile.y, luma, thread);
  draw_plane<2, kChromaWidth, kChromaHeight>(layer.chroma, layer.opacity_256,
                                             {memory.chroma_x, memory.chroma_y}, tile.x / 2,
                                             tile.y / 2, luma + 4 * kLumaWords, thread);
}

static PYTOON_HOST_DEVICE void mix_pictures(TileMemory& memory, int mix_256, int thread) {
  for (int i = thread; i < kImageWords; i += kThreads) {
    std::uint8_t* frame = bytes_of(memory.picture[0] + i);
    const std::uint8_t* incoming = bytes_of(memory.picture[1] + i);
    for (int k = 0; k < 4; ++k) {
      frame[k] = lerp(frame[k], incoming[k], static_cast<std::uint16_t>(mix_256));
    }
  }
}

// Writes word i of a tile's plane; a row's last word may be half outside the frame.
static PYTOON_HOST_DEVICE void store_word(const std::uint32_t* words, int i, const Tile& tile,
                                          bool word_aligned, std::uint8_t* plane,
                                          std::size_t pitch_bytes) {
  const int column = i % kRowWords * 4;
  std::uint8_t* to = plane + static_cast<std::size_t>(i / kRowWords) * pitch_bytes + column;
  if (word_aligned && column + 4 <= tile.width) {
    std::memcpy(__builtin_assume_aligned(to, 4), words + i, 4);
    return;
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words + i);
  for (int k = 0; k < 4 && column + k < tile.width; ++k) to[k] = bytes[k];
}

static PYTOON_HOST_DEVICE void store(const FrameJob& job, const Tile& tile, TileMemory& memory,
                                     int thread) {
  const CudaNv12View& target = job.target;
  const bool aligned = job.word_aligned != 0;
  std::uint8_t* luma =
      target.luma + static_cast<std::size_t>(tile.y) * target.luma_pitch_bytes + tile.x;
  std::uint8_t* chroma =
      target.chroma + static_cast<std::size_t>(tile.y / 2) * target.chroma_pitch_bytes + tile.x;
  for (int i = thread; i < kRowWords * tile.height; i += kThreads) {
    store_word(memory.picture[0], i, tile, aligned, luma, target.luma_pitch_bytes);
  }
  for (int i = thread; i < kRowWords * (tile.height / 2); i += kThreads) {
    store_word(memory.picture[0] + kLumaWords, i, tile, aligned, chroma, target.chroma_pitch_bytes);
  }
}

// together(step): every thread t of the block takes step(t), then all wait for each other.
template <typename Together>
static PYTOON_HOST_DEVICE void draw_layers(const LayerJob* layers, int begin, int end,
                                           const Tile& tile, TileMemory& memory, int picture,
                                           const Together& together) {
  for (int i = begin; i < end; ++i) {
    const LayerJob& layer = layers[i];
    if (!touches(layer.luma.area, tile)) continue;
    if (layer.luma.as_is == 0 || layer.chroma.as_is == 0) {
      together([&](int thread) { make_taps(layer, tile, memory, thread); });
    }
    together([&](int thread) { draw_layer(layer, tile, memory, picture, thread); });
  }
}

template <typename Together>
static PYTOON_HOST_DEVICE void draw_over_black(const LayerJob* layers, int begin, int end,
                                               const Tile& tile, TileMemory& memory, int picture,
                                               const Together& together) {
  const int first = last_hiding(layers, begin, end, tile);
  if (first < begin) {
    together([&](int thread) { blacken(memory.picture[picture], thread); });
  }
  draw_layers(layers, first < begin ? begin : first, end, tile, memory, picture, together);
}

template <typename Together>
static PYTOON_HOST_DEVICE void compose_tile(const FrameJob& job, int column, int row,
                                            TileMemory& memory, const Together& together) {
  const Tile tile = tile_at(job.target.size, column, row);
  const int incoming = job.base_count;
  const int top = incoming + job.incoming_count;
  const int end = top + job.top_count;
  const int hiding = last_hiding(job.layers, top, end, tile);
  if (hiding < top) {
    draw_over_black(job.layers, 0, incoming, tile, memory, 0, together);
    if (job.mix_256 > 0) {
      draw_over_black(job.layers, incoming, top, tile, memory, 1, together);
      together([&](int thread) { mix_pictures(memory, job.mix_256, thread); });
    }
  }
  draw_layers(job.layers, hiding < top ? top : hiding, end, tile, memory, 0, together);
  together([&](int thread) { store(job, tile, memory, thread); });
}

}  // namespace pytoon::gpu::cuda
