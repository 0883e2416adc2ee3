// Waits between two polls of a prompt, with an ear on the server's WebSocket: passes the progress
// on, and cuts the wait short when the end is said. Without a socket, or when it dies, it only
// waits: polling is the truth either way, and the server's first such trouble is logged.
//
// Thread rule: one thread at a time, that of the attempt; progress is called from it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/web_socket.h"
#include "engines/comfyui/comfy_progress.h"
#include "engines/comfyui/comfy_server.h"

namespace pytoon::engines {

class ComfyListener {
 public:
  // Of one server: whether its trouble was told since its socket last said something.
  using Told = std::atomic<bool>;

  ComfyListener(Clock& clock, Log& log, Told& told) : clock_(clock), log_(log), told_(told) {}

  // To be called before the prompt is sent: nothing is said twice. Blocks for ComfyServer's limit.
  void open(ComfyServer& server, const std::string& client_id, const Watch& watch);
  // From now on it is about this prompt.
  void follow(const Json& graph, const std::string& prompt_id);

  // For `duration`, or until the end is said for the first time: true. kCancelled, kTimeout by the
  // watch.
  Result<bool> wait(std::chrono::milliseconds duration, const Watch& watch);

 private:
  void hear(std::chrono::milliseconds duration, const Watch& watch);
  void give_up(const Failure& failure);

  Clock& clock_;
  Log& log_;
  Told& told_;
  std::string origin_;
  std::unique_ptr<WebSocket> socket_;
  std::optional<ComfyProgress> progress_;
  bool end_used_ = false;
};

}  // namespace pytoon::engines
