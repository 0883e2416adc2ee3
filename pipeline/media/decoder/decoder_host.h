// The process that decoders are made of: started once with all libraries loaded, single-threaded,
// it forks a child for each file, ahead of time: a few always wait, so that a decoder costs neither
// the start of a program nor a fork. A child that gets a file confines itself (confine_process.h),
// decodes it, answers and ends.
//
// The host itself parses requests of its own server only. It ends when the server does, and with it
// end its children.
#pragma once

#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// The descriptor that a host finds its control socket at.
inline constexpr int kDecoderControl = 3;

// Serves the control socket until its other side is closed. `decoder` is what children decode with;
// it is not used in this process. So many children wait. Returns the exit status of the process.
int serve_decoders(int control, FileDecoder& decoder, int waiting);

}  // namespace pytoon::media
