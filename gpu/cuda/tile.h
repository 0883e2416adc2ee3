// The frame kernel's block: one tile of the frame, all layers, drawn in the block's own memory and
// written out once. It is written as steps that all threads of the block take together, each step
// a function of the thread's number with a barrier after it, so that the same code runs on the
// device (one thread each) and in tests on the host (a loop over the threads).
//
// A thread draws the same samples in every layer, neighbours lying side by side in a warp: texture
// reads and tile accesses coalesce. Filter taps are made once a tile, row and column, and shared.
// An opaque layer that is resampled at a step of up to about 1.5 is filtered down its columns
// first, a warp to a row, and then across from the block's memory: each texel is read and
// multiplied once a frame row and not once a sample. It is the kernel's most frequent work: a
// moving background. Layers that miss the tile, or lie under one that hides them there, cost a
// comparison.
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
inline constexpr int kWarp = 32;  // threads
// Samples of a filtered row that the block's memory has room for: a step of up to 1.5, two pairs of
// neighbours beyond it.
inline constexpr int kFilteredWidth = kTileWidth * 3 / 2 + 8;
static_assert(kTileWidth + kTileHeight + kChromaWidth + kChromaHeight <= kThreads,
              "each thread makes at most one tap");

// What the threads of a block share.
struct TileMemory {
  Tap luma_x[kTileWidth];
  Tap luma_y[kTileHeight];
  Tap chroma_x[kChromaWidth];
  Tap chroma_y[kChromaHeight];
  // Rows that were filtered down, in 1/64 code value: luma, and pairs of chroma.
  std::int16_t luma_down[kTileHeight][kFilteredWidth];
  std::int16_t chroma_down[kChromaHeight][kFilteredWidth];
  // Luma rows, then chroma rows; the second image holds the incoming one. Words, for alignment.
  std::uint32_t image[2][kImageWords];
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

static PYTOON_HOST_DEVICE void blacken(std::uint32_t* image, int thread) {
  constexpr std::uint32_t kOnes = 0x01010101U;
  for (int i = thread; i < kImageWords; i += kThreads) {
    image[i] = kOnes * static_cast<std::uint32_t>(i < kLumaWords ? kLumaRange.low : kChromaNeutral);
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

// The texture columns that a tile's samples touch, before edges are repeated.
struct ColumnSpan {
  int first = 0;
  int count = 0;
};

template <int Columns>
static PYTOON_HOST_DEVICE ColumnSpan columns_under(const Tap* x) {
  const int first = x[0].first;
  return {first, x[Columns - 1].first + 4 - first};
}

// Whether the plane goes by way of filtered rows; all threads of a block agree.
template <int C, int Columns>
static PYTOON_HOST_DEVICE bool filters_rows(const PlaneJob& plane, const Tap* x) {
  return plane.as_is == 0 && plane.alpha == nullptr &&
         C * columns_under<Columns>(x).count <= kFilteredWidth;
}

// Filters the texture down to the tile's rows: a warp to a row, its threads along it.
template <int C, int Columns, int Height>
static PYTOON_HOST_DEVICE void filter_rows(const PlaneJob& plane, const TapRows& taps,
                                           std::int16_t (*down)[kFilteredWidth], int thread) {
  if (!filters_rows<C, Columns>(plane, taps.x)) return;
  const ColumnSpan span = columns_under<Columns>(taps.x);
  PYTOON_ROLLED
  for (int row = thread / kWarp; row < Height; row += kThreads / kWarp) {
    const Tap y = taps.y[row];
    const Rows rows = rows_of(y, plane.height, plane.colour_pitch_bytes);
    PYTOON_PAIRWISE
    for (int i = thread % kWarp; i < C * span.count; i += kWarp) {
      const auto at =
          static_cast<std::uint32_t>(C * held_index(span.first + i / C, plane.width) + i % C);
      down[row][i] =
          filter_down(plane.colour[rows.at[0] + at], plane.colour[rows.at[1] + at],
                      plane.colour[rows.at[2] + at], plane.colour[rows.at[3] + at], y.weights.tap);
    }
  }
}

// draw(row, frame) for each sample of the plane's area that is the thread's: those of one column of
// the tile, whose corner is frame sample (left, top). So what a column needs is read once.
template <int C, int Columns, int Height, typename Draw>
static PYTOON_HOST_DEVICE void draw_column(const Rect& plane_area, int left, int top,
                                           std::uint8_t* image, int thread, const Draw& draw) {
  static_assert(kThreads % Columns == 0, "a thread keeps to its column");
  const Rect area = plane_area;
  const int column = thread % Columns;
  if (left + column < area.x || left + column >= area.x + area.width) return;
  const int end = area.y + area.height - top < Height ? area.y + area.height - top : Height;
  PYTOON_ROLLED
  for (int row = thread / Columns; row < end; row += kThreads / Columns) {
    if (top + row >= area.y) draw(row, image + C * (row * Columns + column));
  }
}

// Draws a plane's samples in the tile whose corner is frame sample (left, top).
template <int C, int Columns, int Height>
static PYTOON_HOST_DEVICE void draw_plane(const PlaneJob& plane, int opacity_256,
                                          const TapRows& taps,
                                          const std::int16_t (*down)[kFilteredWidth], int left,
                                          int top, std::uint8_t* image, int thread) {
  const int column = thread % Columns;
  if (plane.as_is != 0) {
    draw_column<C, Columns, Height>(
        plane.area, left, top, image, thread, [&](int row, std::uint8_t* frame) {
          draw_as_is<C>(plane, opacity_256, left + column, top + row, frame);
        });
    return;
  }
  const Tap x = taps.x[column];
  if (!filters_rows<C, Columns>(plane, taps.x)) {
    draw_column<C, Columns, Height>(plane.area, left, top, image, thread,
                                    [&](int row, std::uint8_t* frame) {
                                      draw_resampled<C>(plane, opacity_256, x, taps.y[row], frame);
                                    });
    return;
  }
  const int first = C * (x.first - taps.x[0].first);
  draw_column<C, Columns, Height>(plane.area, left, top, image, thread,
                                  [&](int row, std::uint8_t* frame) {
                                    draw_across<C>(down[row] + first, x, opacity_256, frame);
                                  });
}

static PYTOON_HOST_DEVICE void filter_layer(const LayerJob& layer, TileMemory& memory, int thread) {
  filter_rows<1, kTileWidth, kTileHeight>(layer.luma, {memory.luma_x, memory.luma_y},
                                          memory.luma_down, thread);
  filter_rows<2, kChromaWidth, kChromaHeight>(layer.chroma, {memory.chroma_x, memory.chroma_y},
                                              memory.chroma_down, thread);
}

static PYTOON_HOST_DEVICE void draw_layer(const LayerJob& layer, const Tile& tile,
                                          TileMemory& memory, int image, int thread) {
  std::uint8_t* luma = bytes_of(memory.image[image]);
  draw_plane<1, kTileWidth, kTileHeight>(layer.luma, layer.opacity_256,
                                         {memory.luma_x, memory.luma_y}, memory.luma_down, tile.x,
                                         tile.y, luma, thread);
  draw_plane<2, kChromaWidth, kChromaHeight>(layer.chroma, layer.opacity_256,
                                             {memory.chroma_x, memory.chroma_y}, memory.chroma_down,
                                             tile.x / 2, tile.y / 2, luma + 4 * kLumaWords, thread);
}

static PYTOON_HOST_DEVICE void mix_images(TileMemory& memory, int mix_256, int thread) {
  for (int i = thread; i < kImageWords; i += kThreads) {
    std::uint8_t* frame = bytes_of(memory.image[0] + i);
    const std::uint8_t* incoming = bytes_of(memory.image[1] + i);
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
    store_word(memory.image[0], i, tile, aligned, luma, target.luma_pitch_bytes);
  }
  for (int i = thread; i < kRowWords * (tile.height / 2); i += kThreads) {
    store_word(memory.image[0] + kLumaWords, i, tile, aligned, chroma, target.chroma_pitch_bytes);
  }
}

// together(step): every thread t of the block takes step(t), then all wait for each other.
template <typename Together>
static PYTOON_HOST_DEVICE void draw_layers(const LayerJob* layers, int begin, int end,
                                           const Tile& tile, TileMemory& memory, int image,
                                           const Together& together) {
  for (int i = begin; i < end; ++i) {
    const LayerJob& layer = layers[i];
    if (!touches(layer.luma.area, tile)) continue;
    if (layer.luma.as_is == 0 || layer.chroma.as_is == 0) {
      together([&](int thread) { make_taps(layer, tile, memory, thread); });
      if (layer.luma.alpha == nullptr) {
        together([&](int thread) { filter_layer(layer, memory, thread); });
      }
    }
    together([&](int thread) { draw_layer(layer, tile, memory, image, thread); });
  }
}

template <typename Together>
static PYTOON_HOST_DEVICE void draw_over_black(const LayerJob* layers, int begin, int end,
                                               const Tile& tile, TileMemory& memory, int image,
                                               const Together& together) {
  const int first = last_hiding(layers, begin, end, tile);
  if (first < begin) {
    together([&](int thread) { blacken(memory.image[image], thread); });
  }
  draw_layers(layers, first < begin ? begin : first, end, tile, memory, image, together);
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
      together([&](int thread) { mix_images(memory, job.mix_256, thread); });
    }
  }
  draw_layers(job.layers, hiding < top ? top : hiding, end, tile, memory, 0, together);
  together([&](int thread) { store(job, tile, memory, thread); });
}

}  // namespace pytoon::gpu::cuda
