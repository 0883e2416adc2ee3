// The usual ClipVerifier: the whole clip is decoded, and must have images that are not black.
//
// Thread rule: any thread, once the media libraries are started. Blocks while it decodes.
#pragma once

#include "engines/engine.h"

namespace pytoon::engines {

// kMedia saying what is wrong: does not decode, has no image, is too small, is black.
Result<double> verify_clip(const std::filesystem::path& clip, media::UnsaidMatrix matrix);

}  // namespace pytoon::engines
