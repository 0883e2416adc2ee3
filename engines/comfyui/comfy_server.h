// One ComfyUI server, spoken to in typed calls. No decisions here. No Origin header is ever sent:
// ComfyUI answers a foreign one with 403.
//
// Thread rule: any thread. Every call blocks for one exchange, within the watch. Errors: those of
// HttpClient; kEngine for an answer that makes no sense.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/http_client.h"
#include "base/web_socket.h"
#include "engines/comfyui/outcome.h"
#include "engines/engine.h"

namespace pytoon::engines {

class ComfyServer {
 public:
  struct Limits {
    std::chrono::milliseconds request{10'000};
    std::chrono::seconds stall{15};
    std::int64_t clip_bytes_max = 300'000'000;
    std::chrono::milliseconds listen{1000};  // to connect the socket, and again to upgrade it
  };
  // Where a prompt is; `entry` is its history entry when it is finished.
  struct Place {
    enum class Where { kNowhere, kPending, kRunning, kFinished };
    Where where = Where::kNowhere;
    Json entry;
  };
  struct Submitted {
    std::string prompt_id;
    std::string rejection;  // "" when every output of the graph is queued
  };

  // A prompt that is here, under way or finished, and what it was ordered with.
  struct Order {
    std::string prompt_id;
    Json graph;
  };

  struct Marked {
    std::string prompt_id;
    std::string task;  // as it was submitted with
  };

  // What /system_stats says of the memory of its first device.
  struct Memory {
    bool cuda = false;  // else it computes on the CPU
    std::int64_t total_bytes = 0;
    std::int64_t free_bytes = 0;      // by the driver, for everybody
    std::int64_t reserved_bytes = 0;  // by torch: models, what a prompt works with, its cache
    bool dynamic_vram = false;        // a build that pages weights beside torch's own memory
    std::string version;
    std::vector<std::string> arguments;  // that it was started with
  };

  ComfyServer(HttpClient& http, Clock& clock, WebAddress base, EgressScope egress, Limits limits);

  const WebAddress& base() const { return base_; }

  Result<int> queue_length(const Watch& watch);  // what waits and what runs
  Result<Json> system_stats(const Watch& watch);
  Result<Memory> memory(const Watch& watch);
  // {} for a class it does not know.
  Result<Json> object_info(const std::string& node_class, const Watch& watch);
  // Gives the reference by which LoadImage finds it.
  Result<std::string> upload(const std::filesystem::path& image, const std::string& name,
                             const Watch& watch);
  // `task` is kept with the prompt: order_for() finds it by that.
  Result<Submitted> submit(const Json& graph, const std::string& prompt_id,
                           const std::string& client_id, const std::string& task,
                           const Watch& watch);
  // The youngest prompt of this task, of whichever process; nullopt when there is none. Reads the
  // whole queue and the youngest part of the history.
  Result<std::optional<Order>> order_for(const std::string& task, const Watch& watch);
  // What waits and runs there by our orders, of whichever process.
  Result<std::vector<Marked>> marked_orders(const Watch& watch);
  // What is said to this client, from now on. Other addresses than those of the calls are refused.
  Result<std::unique_ptr<WebSocket>> listen(const std::string& client_id, const Watch& watch);
  // Asks the queue first, then the history: a prompt moves from one to the other at once, so in
  // this order it can't slip through.
  Result<Place> find(const std::string& prompt_id, const Watch& watch);
  // Whether it waits or runs; a no-op for one that does neither. Never touches anyone else's.
  Status cancel(const std::string& prompt_id, const Watch& watch);
  Status forget(const std::string& prompt_id, const Watch& watch);
  // kNotFound when the file is gone.
  Status download(const ComfyFile& file, const std::filesystem::path& to, const Watch& watch);
  // Asks it to unload its models, which it does in its own time: when the memory is there, a
  // sample of the card says.
  Status free_memory(const Watch& watch);

 private:
  std::string url_of(const std::string& path) const;
  Result<HttpAnswer> send(HttpRequest request, const Watch& watch);
  Result<Json> get(const std::string& path, const Watch& watch);
  Result<HttpAnswer> post(const std::string& path, const Json& body, const Watch& watch);

  HttpClient& http_;
  Clock& clock_;
  const WebAddress base_;
  const EgressScope egress_;
  const Limits limits_;
};

}  // namespace pytoon::engines
