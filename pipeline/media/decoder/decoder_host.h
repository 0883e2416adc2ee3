// The process that decoders are made of: started once with all libraries loaded, single-threaded,
// it forks a child for each file, so that a decoder costs a fork and not the start of a program. A
// child takes a place among the confined (confine_process.h), decodes the one file that it was
// handed, answers and ends.
//
// The host itself parses requests of its own server only. It ends when the server does, and with it
// end its children.
#pragma once

#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// The descriptor that a host finds its control socket at.
inline constexpr int kDecoderControl = 3;

// Serves the control socket until its other side is closed. `decoder` is what children decode with;
// it is not used in this process. Returns the exit status of the process.
int serve_decoders(int control, FileDecoder& decoder);

}  // namespace pytoon::media
