// One task of a decoder, in the process that was forked for it. Inside the room only.
#pragma once

#include <vector>

#include "base/files.h"
#include "pipeline/media/decoder/decoder_wire.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// Confines this process to the descriptors (the file, the socket for the answer, memory for data if
// any), does the task, answers and ends the process, whatever happens.
[[noreturn]] void do_task(const DecoderRequest& request, std::vector<FileDescriptor> descriptors,
                          FileDecoder& decoder);

}  // namespace pytoon::media
