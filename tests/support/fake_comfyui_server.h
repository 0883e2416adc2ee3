// A ComfyUI server for tests, strict where the real one is and with its real oddities: 400 for an
// unknown node, 200 with node_errors, queue and history in memory, equal graphs answered from a
// cache, files under `images`, an answer of 403 to a foreign Origin. It "runs" a prompt while its
// queue is looked at a number of times, so that nothing depends on time. Its WebSocket goes one
// node further at each look (comfyui_socket.h).
//
// Thread rule: change `plan` only while no request is under way, or before the first.
#pragma once

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/comfyui_socket.h"
#include "tests/support/fake_http_server.h"

namespace pytoon::support {

struct ComfyPlan {
  // What goes wrong, and how many times before it goes right.
  enum class Fault {
    kNone,
    kForgets,       // the queue is wiped after a prompt was taken, as by a restart
    kDies,          // after a prompt was taken nobody answers any more
    kRestarts,      // likewise for `restart_calls` calls; then all is forgotten
    kNoFile,        // success, no outputs
    kVanishedFile,  // success, names of files that /view does not have
    kNodeErrors,    // 200, one output rejected
    kRejects,       // 400
    kOutOfMemory,
    kFails,        // execution_error
    kInterrupted,  // by somebody else
    kServerError,  // 500 from /prompt
    kLostAnswer,   // takes the prompt, drops the connection
    kHangs,        // /queue is accepted and never answered
    kHtml,         // /view says 200 with a web page
    kCut,          // /view sends half
    kTrickle,      // /view sends a byte at a time
    kRedirect,     // /view leads elsewhere
    kUnfinished,   // never gets done
  };
  Fault fault = Fault::kNone;
  int times = 1'000'000;
  int looks = 2;  // at the queue until a prompt is done
  std::string clip = "clip";
  std::string list = "images";  // `gifs` is what VHS_VideoCombine says
  std::string redirect_to;
  std::set<std::string> missing_nodes;
  std::string missing_model;
  int other_prompts = 0;        // of somebody else, before ours: it waits
  int other_looks = 1'000'000;  // at the queue until those are done
  std::string version = "0.3.64";
  int restart_calls = 0;  // unanswered calls after kRestarts
};

class FakeComfyServer {
 public:
  FakeComfyServer();

  std::string url() const { return server_.url(); }
  int port() const { return server_.port(); }
  int connections() const { return server_.connections(); }
  void stop() { server_.stop(); }

  ComfyPlan plan;
  ComfySocket socket;
  // What it saw.
  std::vector<std::string> prompt_ids;  // taken
  std::vector<std::string> prefixes;
  std::vector<nlohmann::json> graphs;
  std::map<std::string, std::string> uploads;  // by the name it gave
  std::vector<std::string> taken_out;          // of the queue, by id
  std::vector<std::string> interrupted;        // by id, while it ran
  std::vector<std::string> forgotten;          // deleted from the history
  std::vector<std::string> faults;             // of the client, against the contract
  int queue_looks = 0;                         // since the last prompt was taken
  std::atomic<int> frees{0};                   // may be read at any time
  // What it says of itself.
  struct Vram {
    std::int64_t total = std::int64_t{24} << 30;
    std::int64_t free = std::int64_t{24} << 30;  // what torch keeps for itself counted
    std::int64_t reserved = 0;                   // by torch, all of it
    std::int64_t reserved_idle = 0;              // of that, what nothing uses
  };
  Vram vram;
  std::vector<std::string> arguments{"main.py"};
  // Whether SaveVideo's codec stands beneath its format, as on newer servers: drawn by lot (of its
  // port, which the system chooses), since nothing that uses a server may depend on it.
  bool newer_save_video = false;
  std::vector<std::string> packages;

 private:
  struct Prompt {
    nlohmann::json graph;
    std::string file;
    std::int64_t number = 0;  // their order
    nlohmann::json extra;     // that came beside the graph
    int looks = 0;
  };

  Reply answer(const Call& call);
  Reply take_prompt(const Call& call);
  Reply show_queue();
  Reply show_history(const std::string& id);
  Reply view(const Call& call);
  Reply take_upload(const Call& call);
  Reply stats();
  Reply info(const std::string& node_class) const;
  Reply rejected(const nlohmann::json& graph) const;
  void take_order(const Call& call);
  bool faulty(ComfyPlan::Fault fault);
  bool runs(const std::string& id) const;
  void drop(const std::string& id);
  void finish(const std::string& id, const Prompt& prompt);

  bool dead_ = false;
  int restarting_ = 0;
  std::map<std::string, Prompt> queue_;  // waiting and running
  std::map<std::string, nlohmann::json> history_;
  std::set<std::string> files_;
  std::map<std::string, std::string> cache_;  // graph -> file
  FakeHttpServer server_;
};

}  // namespace pytoon::support
