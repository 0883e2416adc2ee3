// Images and frames in memory. Thread rule: values; a view owns nothing of what it shows.
//
// Host images are RgbaImage: 8-bit sRGB code values, straight (not premultiplied) alpha, rows
// packed top to bottom, pitch = 4 * width bytes.
//
// Finished frames are NV12: a luma plane of width x height bytes and, at half size in both
// directions, a plane of interleaved Cb Cr. Values are BT.709, limited range (Y 16-235, C 16-240);
// sRGB code values are used as BT.709 code values, without a transfer conversion. Chroma is
// left-sited: chroma sample (i, j) lies at luma position (2i, 2j + 0.5), counted between sample
// centres. Source: ITU-R BT.709-6 and H.264 annex E (chroma_loc_type 0).
//
// The kind of memory is part of a view's type; only a gpu::Device crosses, and counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "base/paged_bytes.h"

namespace pytoon::gpu {

struct Size {
  int width = 0;   // px
  int height = 0;  // px
  bool operator==(const Size&) const = default;
};

struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Rect&) const = default;
};

struct Rgba {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
  std::uint8_t a = 255;
  bool operator==(const Rgba&) const = default;
};

struct RgbaImage {
  Size size;
  PagedBytes pixels;  // size.width * size.height * 4

  RgbaImage() = default;
  explicit RgbaImage(Size s, Rgba fill = {0, 0, 0, 0});

  std::uint8_t* at(int x, int y) {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) +
                            static_cast<std::size_t>(x)) *
                               4;
  }
  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) +
                            static_cast<std::size_t>(x)) *
                               4;
  }
};

enum class Memory { kHost, kCuda };

// A frame to write, borrowed for the duration of a call. Width and height are even.
template <Memory M>
struct Nv12View {
  Size size;
  std::uint8_t* luma = nullptr;
  std::size_t luma_pitch_bytes = 0;
  std::uint8_t* chroma = nullptr;
  std::size_t chroma_pitch_bytes = 0;
};
using HostNv12View = Nv12View<Memory::kHost>;
using CudaNv12View = Nv12View<Memory::kCuda>;
using Nv12Target = std::variant<HostNv12View, CudaNv12View>;

// A frame to read, such as a decoder's: BT.709 limited range like all NV12 here, any size (half
// sizes round up). Its bytes live, unchanged, as long as `owner` does.
struct Nv12Frame {
  Memory memory = Memory::kHost;
  Size size;
  const std::uint8_t* luma = nullptr;
  std::size_t luma_pitch_bytes = 0;
  const std::uint8_t* chroma = nullptr;
  std::size_t chroma_pitch_bytes = 0;
  std::shared_ptr<const void> owner;
};

}  // namespace pytoon::gpu
