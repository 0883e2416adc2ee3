// How far ComfyUI is with one prompt, read from the messages of its WebSocket. Pure.
//
// The share counts the graph's nodes, a finished one as whole, the running one by its steps; a
// sampler counts as twenty, since it takes most of the time. It never falls. A hint and nothing
// else: messages get lost, so how a prompt ended is for the history to say.
//
// Messages of other prompts, unknown ones and nonsense are passed over; nodes that are not in the
// graph too, so nothing grows.
//
// Thread rule: one thread at a time.
#pragma once

#include <map>
#include <string>

#include "engines/placeholders.h"

namespace pytoon::engines {

class ComfyProgress {
 public:
  ComfyProgress(const Json& graph, std::string prompt_id);

  void take(const std::string& message);

  double share() const { return share_; }  // 0..1
  bool ended() const { return ended_; }    // so it was said: well, badly or cancelled

 private:
  struct Node {
    double weight = 1;
    double done = 0;  // 0..1
  };

  void note(const std::string& node, double done);
  void note_steps(const std::string& node, const Json& facts);
  void note_state(const Json& nodes);
  void note_executing(const Json& node);

  const std::string prompt_id_;
  std::map<std::string, Node> nodes_;
  std::string running_;  // node
  double share_ = 0;
  bool ended_ = false;
};

}  // namespace pytoon::engines
