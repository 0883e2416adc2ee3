// What an image's code values mean where no ICC profile says it: a transfer curve and primaries, as
// PNG chunks and the code points of HEIC and AVIF tell them.
//
// Thread rule: pure, but for libvips's own threads. Sources: PNG (third edition) sections 4.3 and
// 11.3.2, ITU-T H.273 (07/2024) tables 2 and 3, IEC 61966-2-1; white is adapted by the Bradford
// transform (ICC.1:2022 annex E), so that it stays white.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "pipeline/media/image/vips_image.h"

namespace pytoon::media {

// CIE 1931 x and y.
struct Chromaticity {
  double x = 0;
  double y = 0;
};
using Primaries = std::array<Chromaticity, 4>;  // red, green, blue, white

struct ColourTag {
  // A code value v of 0..1 stands for v^gamma of light; 0: by sRGB's curve.
  double gamma = 0;
  std::optional<Primaries> primaries;  // none: sRGB's
  bool hdr = false;                    // PQ or HLG, which no still of ours can be shown by

  bool is_srgb() const { return gamma == 0 && !primaries && !hdr; }
};

// An image as its file has it; its ICC profile, where it has one, is attached to the pixels.
struct TaggedImage {
  VipsImagePtr pixels;
  ColourTag tag;
};

// Of a PNG, by the first of cICP, iCCP, sRGB, gAMA and cHRM that it has; of an iCCP nothing is said
// here. A gamma within 1 % of 1/2.2 means sRGB, as it does to browsers; what makes no sense says
// nothing.
ColourTag colour_tag_of_png(std::string_view png);
// Numbers of H.273. What we do not know is taken as sRGB.
ColourTag colour_tag_of_code_points(int primaries, int transfer);

// Three bands of 8 or 16 bits that mean what the tag says, to three of 8-bit sRGB. Null: libvips
// could not.
VipsImagePtr to_srgb_by(const ColourTag& tag, VipsImage* colour);

}  // namespace pytoon::media
