// HEIC and AVIF files for tests, as libheif's encoders make them of a picture.
//
// Thread rule: any thread. A failure of the encoder ends the test program.
#pragma once

#include <string>

#include "gpu/image.h"

namespace pytoon::media {

struct HeifOptions {
  bool avif = false;
  bool alpha = false;
  bool quarter_turn = false;  // kept lying on its side, with the property that turns it upright
  int bits = 8;
  std::string icc;    // profile to embed
  int primaries = 0;  // code points of ITU-T H.273, 0 for none
  int transfer = 13;  // sRGB's
};

std::string heif_file(const gpu::RgbaImage& picture, const HeifOptions& options);

}  // namespace pytoon::media
