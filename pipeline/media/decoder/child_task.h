// A decoder's life, in the process that was forked for it: it waits for its one task, does it and
// ends. Inside the room only.
#pragma once

#include "pipeline/media/decoder/confine_process.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

// Closes all descriptors but `tasks`, the socket that a request comes from, makes ready what can
// be, and waits. Then confines this process to what came with the request (the file, the socket for
// the answer, memory for data if any), does the task, answers and ends the process, whatever
// happens.
[[noreturn]] void wait_for_task(int tasks, Confinement& confinement, FileDecoder& decoder);

}  // namespace pytoon::media
