// The usual ClipVerifier: the whole clip is decoded, and must have images that are not black.
//
// Thread rule: any thread, once the media libraries are started. Blocks while it is decoded.
#pragma once

#include "engines/engine.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::engines {

// kMedia saying what is wrong: does not decode, has no image, is too small, is black. The decoder
// must outlive it.
ClipVerifier clip_verifier(media::FileDecoder& decoder);

}  // namespace pytoon::engines
