#include "engines/comfyui/comfy_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "engines/comfyui/reply.h"

namespace pytoon::engines {
namespace {

constexpr std::int64_t kInfoBytesMax = 64 << 20;     // histories hold whole graphs
constexpr std::size_t kMessageBytesMax = 4 << 20;    // previews are images
constexpr std::int64_t kSocketBytesMax = 512 << 20;  // of one prompt
constexpr int kLeastBytesPerSecond = 10'000;
constexpr const char* kSubfolder = "pytoon";
constexpr const char* kTaskMark = "pytoon_task";  // in a prompt's extra_data
constexpr int kHistoryLooked = 100;

Failure senseless(const WebAddress& base, const std::string& path, const HttpAnswer& answer) {
  return failure(FailureKind::kEngine, base.origin + " answers " + path + " with status " +
                                           std::to_string(answer.status));
}

Status done(const WebAddress& base, const std::string& path, const Result<HttpAnswer>& answer) {
  if (!answer) return answer.failure();
  return answer->ok() ? ok_status() : Status(senseless(base, path, *answer));
}

// Entries are [number, prompt_id, graph, ...].
bool holds(const Json& queue, const char* list, const std::string& prompt_id) {
  if (!queue.is_object() || !queue.contains(list) || !queue[list].is_array()) return false;
  return std::any_of(queue[list].begin(), queue[list].end(), [&prompt_id](const Json& entry) {
    return entry.is_array() && entry.size() > 1 && entry[1] == prompt_id;
  });
}

// The task that an entry was ordered for: it carries what was sent beside the graph. "" when it is
// none of ours.
std::string task_of(const Json& entry) {
  const bool marked = entry.is_array() && entry.size() > 3 && entry[1].is_string() &&
                      entry[2].is_object() && entry[3].is_object() &&
                      entry[3].contains(kTaskMark) && entry[3][kTaskMark].is_string();
  return marked ? entry[3][kTaskMark].get<std::string>() : "";
}

std::int64_t bytes_of(const Json& device, const char* name) {
  return device.is_object() && device.contains(name) && device[name].is_number()
             ? device[name].get<std::int64_t>()
             : 0;
}

// [] when there is no such list.
const Json& list_of(const Json& json, const char* name) {
  static const Json none = Json::array();
  return json.is_object() && json.contains(name) && json[name].is_array() ? json[name] : none;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

ComfyServer::ComfyServer(HttpClient& http, Clock& clock, WebAddress base, EgressScope egress,
                         Limits limits)
    : http_(http), clock_(clock), base_(std::move(base)), egress_(egress), limits_(limits) {}

std::string ComfyServer::url_of(const std::string& path) const {
  return without_end_slashes(base_.url) + path;
}

Result<HttpAnswer> ComfyServer::send(HttpRequest request, const Watch& watch) {
  const Result<std::chrono::milliseconds> left =
      time_left(clock_, watch, std::max(limits_.request, request.limits.total));
  if (!left) return left.failure();
  request.limits.total = *left;
  request.url = url_of(request.url);
  request.egress = egress_;
  if (!watch.traceparent.empty()) request.headers.emplace_back("traceparent", watch.traceparent);
  Result<HttpAnswer> answer = http_.send(request, watch.cancel);
  if (!answer) return engine_fault(answer.failure());
  return answer;
}

Result<Json> ComfyServer::get(const std::string& path, const Watch& watch) {
  HttpRequest request;
  request.url = path;
  request.limits.total = limits_.request;
  request.limits.answer_bytes = kInfoBytesMax;
  const Result<HttpAnswer> answer = send(std::move(request), watch);
  if (!answer) return answer.failure();
  Json json = answer->ok() ? parse_json<Json>(answer->body) : Json();
  if (!json.is_object()) return senseless(base_, path, *answer);
  return json;
}

Result<HttpAnswer> ComfyServer::post(const std::string& path, const Json& body,
                                     const Watch& watch) {
  HttpRequest request;
  request.method = "POST";
  request.url = path;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = json_text(body);
  request.limits.total = limits_.request;
  return send(std::move(request), watch);
}

Result<int> ComfyServer::queue_length(const Watch& watch) {
  const Result<Json> json = get("/prompt", watch);
  if (!json) return json.failure();
  const Json::json_pointer at("/exec_info/queue_remaining");
  if (!json->contains(at) || !json->at(at).is_number_integer()) {
    return failure(FailureKind::kEngine, base_.origin + " is no ComfyUI");
  }
  return json->at(at).get<int>();
}

Result<Json> ComfyServer::system_stats(const Watch& watch) { return get("/system_stats", watch); }

// Its names mislead: torch_vram_total is what torch reserved, and vram_free counts what torch keeps
// for itself as free, which it is for nobody else (ComfyUI's model_management.py).
Result<ComfyServer::Memory> ComfyServer::memory(const Watch& watch) {
  const Result<Json> stats = system_stats(watch);
  if (!stats) return stats.failure();
  Memory memory;
  const Json system = stats->value("system", Json::object());
  if (!system.is_object()) return failure(FailureKind::kEngine, base_.origin + " is no ComfyUI");
  memory.version = text_of(system, "comfyui_version");
  for (const Json& argument : list_of(system, "argv")) {
    if (argument.is_string()) memory.arguments.push_back(argument.get<std::string>());
  }
  for (const Json& package : list_of(system, "comfy_package_versions")) {
    memory.dynamic_vram = memory.dynamic_vram || text_of(package, "name") == "comfy-aimdo";
  }
  memory.dynamic_vram =
      memory.dynamic_vram && !contains(memory.arguments, "--disable-dynamic-vram");
  const Json& devices = list_of(*stats, "devices");
  if (devices.empty()) return memory;
  memory.cuda = text_of(devices[0], "type") == "cuda";
  memory.total_bytes = bytes_of(devices[0], "vram_total");
  memory.free_bytes = bytes_of(devices[0], "vram_free") - bytes_of(devices[0], "torch_vram_free");
  memory.reserved_bytes = bytes_of(devices[0], "torch_vram_total");
  return memory;
}

Result<Json> ComfyServer::object_info(const std::string& node_class, const Watch& watch) {
  return get("/object_info/" + percent_encode(node_class), watch);
}

Result<std::string> ComfyServer::upload(const std::filesystem::path& image, const std::string& name,
                                        const Watch& watch) {
  HttpRequest request;
  request.method = "POST";
  request.url = "/upload/image";
  request.body = std::vector<FormPart>{{"image", "", image, name, "application/octet-stream"},
                                       {"type", "input", {}, "", ""},
                                       {"subfolder", kSubfolder, {}, "", ""}};
  const Result<HttpAnswer> answer = send(std::move(request), watch);
  if (!answer) return answer.failure();
  const Json json = answer->ok() ? parse_json<Json>(answer->body) : Json();
  const bool named = json.is_object() && json.contains("name") && json["name"].is_string();
  if (!named) return senseless(base_, "/upload/image", *answer);
  // Other bytes under the same name get another one: only the returned name counts.
  const std::string subfolder = json.contains("subfolder") && json["subfolder"].is_string()
                                    ? json["subfolder"].get<std::string>()
                                    : "";
  return (subfolder.empty() ? "" : subfolder + "/") + json["name"].get<std::string>();
}

Result<ComfyServer::Submitted> ComfyServer::submit(const Json& graph, const std::string& prompt_id,
                                                   const std::string& client_id,
                                                   const std::string& task, const Watch& watch) {
  const Json body{{"prompt", graph},
                  {"prompt_id", prompt_id},
                  {"client_id", client_id},
                  {"extra_data", {{kTaskMark, task}}}};
  const Result<HttpAnswer> answer = post("/prompt", body, watch);
  if (!answer) return answer.failure();
  const Json json = parse_json<Json>(answer->body);
  if (answer->status == 400) return Submitted{"", rejection_text(json)};
  if (!answer->ok() || !json.is_object()) return senseless(base_, "/prompt", *answer);
  Submitted submitted{prompt_id, ""};
  if (json.contains("prompt_id") && json["prompt_id"].is_string()) {
    submitted.prompt_id = json["prompt_id"].get<std::string>();
  }
  const Json errors = json.value("node_errors", Json::object());
  if (!errors.empty()) submitted.rejection = rejection_text(json);
  return submitted;
}

// Like find(): the queue first. Of several the last counts: the entries of a list are in the order
// of their numbers, and what runs or waits is younger than what is finished.
Result<std::optional<ComfyServer::Order>> ComfyServer::order_for(const std::string& task,
                                                                 const Watch& watch) {
  const Result<Json> queue = get("/queue", watch);
  if (!queue) return queue.failure();
  std::optional<Order> found;
  for (const char* const list : {"queue_running", "queue_pending"}) {
    for (const Json& entry : list_of(*queue, list)) {
      if (task_of(entry) == task) found = Order{entry[1].get<std::string>(), entry[2]};
    }
  }
  if (found) return found;
  const Result<Json> history = get("/history?max_items=" + std::to_string(kHistoryLooked), watch);
  if (!history) return history.failure();
  std::int64_t youngest = 0;
  for (const Json& finished : *history) {
    if (!finished.is_object() || !finished.contains("prompt")) continue;
    const Json& entry = finished["prompt"];
    if (task_of(entry) != task) continue;
    const std::int64_t number = entry[0].is_number() ? entry[0].get<std::int64_t>() : 0;
    if (found && number < youngest) continue;
    youngest = number;
    found = Order{entry[1].get<std::string>(), entry[2]};
  }
  return found;
}

Result<std::vector<ComfyServer::Marked>> ComfyServer::marked_orders(const Watch& watch) {
  const Result<Json> queue = get("/queue", watch);
  if (!queue) return queue.failure();
  std::vector<Marked> marked;
  for (const char* const list : {"queue_running", "queue_pending"}) {
    for (const Json& entry : list_of(*queue, list)) {
      if (std::string task = task_of(entry); !task.empty()) {
        marked.push_back({entry[1].get<std::string>(), std::move(task)});
      }
    }
  }
  return marked;
}

Result<std::unique_ptr<WebSocket>> ComfyServer::listen(const std::string& client_id,
                                                       const Watch& watch) {
  const Result<std::chrono::milliseconds> left = time_left(clock_, watch, limits_.listen);
  if (!left) return left.failure();
  WebSocketLimits limits;
  limits.open = *left;
  limits.message_bytes = kMessageBytesMax;
  limits.bytes = kSocketBytesMax;
  return WebSocket::open(url_of("/ws?clientId=" + percent_encode(client_id)), egress_, limits,
                         watch.cancel);
}

Result<ComfyServer::Place> ComfyServer::find(const std::string& prompt_id, const Watch& watch) {
  const Result<Json> queue = get("/queue", watch);
  if (!queue) return queue.failure();
  if (holds(*queue, "queue_running", prompt_id)) return Place{Place::Where::kRunning, {}};
  if (holds(*queue, "queue_pending", prompt_id)) return Place{Place::Where::kPending, {}};
  const Result<Json> history = get("/history/" + percent_encode(prompt_id), watch);
  if (!history) return history.failure();
  if (history->contains(prompt_id)) return Place{Place::Where::kFinished, (*history)[prompt_id]};
  return Place{};
}

Status ComfyServer::cancel(const std::string& prompt_id, const Watch& watch) {
  const Json waiting{{"delete", Json::array({prompt_id})}};
  // A server that hangs on the first must not keep the second from being sent.
  Watch half = watch;
  const SteadyTime now = clock_.steady_now();
  if (watch.deadline != SteadyTime::max()) half.deadline = now + (watch.deadline - now) / 2;
  Status taken_out = done(base_, "/queue", post("/queue", waiting, half));
  const Json running{{"prompt_id", prompt_id}};
  const Status stopped = done(base_, "/interrupt", post("/interrupt", running, watch));
  return taken_out ? stopped : taken_out;
}

Status ComfyServer::forget(const std::string& prompt_id, const Watch& watch) {
  const Json body{{"delete", Json::array({prompt_id})}};
  return done(base_, "/history", post("/history", body, watch));
}

Status ComfyServer::download(const ComfyFile& file, const std::filesystem::path& to,
                             const Watch& watch) {
  HttpRequest request;
  request.url = "/view?filename=" + percent_encode(file.filename) +
                "&subfolder=" + percent_encode(file.subfolder) +
                "&type=" + percent_encode(file.type);
  request.limits.total = std::chrono::hours(1);
  request.limits.least_bytes_per_second = kLeastBytesPerSecond;
  request.limits.stall = limits_.stall;
  request.limits.answer_bytes = limits_.clip_bytes_max;
  request.save_to = to;
  const Result<HttpAnswer> answer = send(std::move(request), watch);
  if (!answer) return answer.failure();
  if (answer->status == 404) return failure(FailureKind::kNotFound, "its file is gone");
  return answer->ok() ? ok_status() : Status(senseless(base_, "/view", *answer));
}

Status ComfyServer::free_memory(const Watch& watch) {
  const Json body{{"unload_models", true}, {"free_memory", true}};
  return done(base_, "/free", post("/free", body, watch));
}

}  // namespace pytoon::engines
