// The life of a decoder that plays a clip, once it is confined. Inside the room only.
#pragma once

#include "pipeline/media/decoder/decoder_wire.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// Does the steps that come through the socket `steps` and answers each, until that is closed or one
// fails. memory: clip_memory.h; its index is a clip's whose file is `file`.
void play_clip(const DecoderRequest& request, const std::filesystem::path& file, int steps,
               int memory, FileDecoder& decoder);

}  // namespace pytoon::media
