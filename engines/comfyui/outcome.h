// How a prompt of ComfyUI ended, read from its history entry. Pure.
//
// A cancelled run says status "error" with an execution_interrupted message; out of memory is told
// by the exception's type or text. Tracebacks and inputs hold the server's paths and are not
// repeated. Files are every object with a `filename` in any list of any node: the key they stand
// under says nothing about their kind.
#pragma once

#include <string>
#include <vector>

#include "engines/placeholders.h"

namespace pytoon::engines {

struct ComfyFile {
  std::string filename;
  std::string subfolder;
  std::string type;  // output | temp | input
};

struct ComfyOutcome {
  enum class Kind { kDone, kFailed, kOutOfMemory, kInterrupted };
  Kind kind = Kind::kFailed;
  std::string detail;            // of a failure: node and message
  std::vector<ComfyFile> files;  // videos first, kept outputs before temporary ones
};

ComfyOutcome read_outcome(const Json& history_entry);
// Why a prompt was rejected: the answer to POST /prompt with `error` or `node_errors`.
std::string rejection_text(const Json& answer);

}  // namespace pytoon::engines
