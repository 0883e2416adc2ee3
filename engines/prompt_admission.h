// Whose prompt may run on which ComfyUI endpoint, and when: GPU memory is promised before ComfyUI
// takes it, so prompts wait with us and not in ComfyUI's queue. Implemented by whoever knows the
// cards (server/worker/gpu); an engine without one sends its prompts at once.
//
// Units: memory in bytes. Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine.h"

namespace pytoon::engines {

// What a workflow's file says of its resources, before anything was learned.
struct WorkflowPrior {
  std::string model;               // what stays loaded between prompts
  std::int64_t weights_bytes = 0;  // of the model
  std::int64_t working_bytes = 0;  // over the weights, with the file's own VAE decoding
  std::int64_t tiled_bytes = 0;    // the same with tiled VAE decoding
  std::chrono::milliseconds load{0};
  std::chrono::milliseconds run{0};  // of a prompt that has its model loaded
};

// A prompt that wants to run.
struct PromptWish {
  std::string task;    // FootageRequest::key()
  std::string engine;  // that it was leased for
  std::string workflow;
  WorkflowPrior prior;
  std::vector<std::string> endpoints;  // origins of those that could run it, best first
  int priority = 0;
  WallTime waiting_since;
  bool may_leave = false;                // a remote engine could make it instead, for:
  std::int64_t micro_usd = 0;            // its price
  std::chrono::milliseconds latency{0};  // its usual time to the result
};

enum class PromptEnd {
  kDone,
  kOutOfMemory,  // ComfyUI's own: it needed more than it was promised
  kFailed,       // for any other reason
};

// The right to run one prompt on one endpoint. Destroyed, its memory is given back: not before the
// prompt has ended or was called off.
class PromptTurn {
 public:
  virtual ~PromptTurn() = default;
  virtual const std::string& endpoint() const = 0;
  // Whether the VAE must decode in tiles, for less memory.
  virtual bool tiled() const = 0;
  // How it ended; at most once. What it took becomes part of the workflow's profile.
  virtual void ended(PromptEnd end) = 0;
};

class PromptAdmission {
 public:
  virtual ~PromptAdmission() = default;
  // Blocks until the prompt may run, however long that takes; tells the watch's `waiting` why it
  // does not yet. kOutOfMemory, "vram_exhausted: ...", when it should be made elsewhere or can't be
  // made on any card; kCancelled and kTimeout by the watch.
  virtual Result<std::unique_ptr<PromptTurn>> wait_turn(const PromptWish& wish,
                                                        const Watch& watch) = 0;
};

}  // namespace pytoon::engines
