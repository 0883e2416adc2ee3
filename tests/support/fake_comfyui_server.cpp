#include "tests/support/fake_comfyui_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace pytoon::support {

using Json = nlohmann::json;
using Fault = ComfyPlan::Fault;

namespace {

// Of version 4, in lower case.
bool is_uuid(std::string_view id) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
  return std::ranges::equal(id, kShape, [](char digit, char place) {
    const std::string_view allowed = place == 'x'   ? "0123456789abcdef"
                                     : place == 'v' ? "89ab"
                                                    : std::string_view(&place, 1);
    return allowed.find(digit) != std::string_view::npos;
  });
}

const std::map<std::string, std::vector<std::string>>& known_nodes() {
  static const std::map<std::string, std::vector<std::string>> nodes{
      {"LoadImage", {"image"}},
      {"ImageScale", {"image", "upscale_method", "width", "height", "crop"}},
      {"RepeatImageBatch", {"image", "amount"}},
      {"CreateVideo", {"images", "fps"}},
      {"SaveVideo", {"video", "filename_prefix", "format", "codec"}},
      {"CheckpointLoaderSimple", {"ckpt_name"}}};
  return nodes;
}

Reply json_reply(const Json& json, int status = 200) { return {status, json.dump()}; }

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

FakeComfyServer::FakeComfyServer() : server_([this](const Call& call) { return answer(call); }) {
  newer_save_video = server_.port() / 2 % 2 == 0;
}

bool FakeComfyServer::faulty(Fault fault) {
  if (plan.fault != fault || plan.times <= 0) return false;
  --plan.times;
  return true;
}

Reply FakeComfyServer::answer(const Call& call) {
  if (restarting_ > 0) --restarting_;
  if (dead_ || restarting_ > 0) return {200, "", "", {}, Reply::Manner::kDrop};
  if (call.headers.contains("origin")) return {403, "forbidden", "text/plain"};
  const bool post = call.method == "POST";
  if (call.path == "/ws") return socket.answer(call, server_);
  if (call.path == "/prompt" && post) return take_prompt(call);
  if (call.path == "/prompt") {
    const auto queued = static_cast<int>(queue_.size()) + plan.other_prompts;
    return json_reply({{"exec_info", {{"queue_remaining", queued}}}});
  }
  if (call.path == "/queue" && !post) return show_queue();
  if (call.path == "/history" && !post) return json_reply(history_);
  if (call.path.starts_with("/history/")) return show_history(last_part(call.path));
  if (call.path == "/view") return view(call);
  if (call.path == "/upload/image" && post) return take_upload(call);
  if (call.path == "/system_stats") return stats();
  if (call.path.starts_with("/object_info/")) return info(last_part(call.path));
  if (post) {
    take_order(call);
    return {200, ""};
  }
  return {404, "404: Not Found", "text/plain"};
}

// The oldest runs, unless somebody else's does.
bool FakeComfyServer::runs(const std::string& id) const {
  const auto found = queue_.find(id);
  return found != queue_.end() && plan.other_prompts == 0 &&
         std::all_of(queue_.begin(), queue_.end(), [&found](const auto& entry) {
           return entry.second.number >= found->second.number;
         });
}

void FakeComfyServer::drop(const std::string& id) {
  queue_.erase(id);
  history_[id] = {{"outputs", Json::object()},
                  {"status",
                   {{"status_str", "error"},
                    {"completed", false},
                    {"messages", {{"execution_interrupted", {{"prompt_id", id}}}}}}}};
  socket.ended(id, "execution_interrupted");
}

// /queue, /interrupt, /history and /free: always 200, whatever is said.
void FakeComfyServer::take_order(const Call& call) {
  const Json body = Json::parse(call.body, nullptr, false);
  if (call.path == "/free") {
    ++frees;
    return;
  }
  if (call.path == "/interrupt") {
    if (!body.is_object() || !body.contains("prompt_id")) {
      faults.push_back("a global interrupt hits everybody");
      return;
    }
    const std::string id = body["prompt_id"];
    if (!runs(id)) return;  // a no-op for what waits or is unknown
    interrupted.push_back(id);
    return drop(id);
  }
  if (!body.is_object() || body.contains("clear")) {
    faults.push_back("clears what is not its own");
    return;
  }
  for (const std::string id : body.value("delete", Json::array())) {
    if (call.path == "/history") {
      history_.erase(id);
      forgotten.push_back(id);
    } else if (queue_.contains(id) && !runs(id)) {
      taken_out.push_back(id);
      queue_.erase(id);
    }
  }
}

Reply FakeComfyServer::rejected(const Json& graph) const {
  for (const auto& [id, node] : graph.items()) {
    const std::string type = node.value("class_type", "");
    if (!known_nodes().contains(type) || plan.missing_nodes.contains(type)) {
      return json_reply({{"error", {{"type", "invalid_prompt"}, {"message", "unknown " + type}}},
                         {"node_errors", Json::object()}},
                        400);
    }
    for (std::string name : known_nodes().at(type)) {
      if (newer_save_video && type == "SaveVideo" && name == "codec") name = "format.codec";
      if (!node["inputs"].contains(name)) {
        return json_reply({{"error", {{"type", "prompt_outputs_failed_validation"}}},
                           {"node_errors",
                            {{id,
                              {{"class_type", type},
                               {"errors",
                                {{{"type", "required_input_missing"},
                                  {"message", "Required input is missing"},
                                  {"details", name}}}}}}}}},
                          400);
      }
    }
    if (type == "LoadImage" && !uploads.contains(node["inputs"]["image"].get<std::string>())) {
      return json_reply({{"error", {{"type", "prompt_outputs_failed_validation"}}},
                         {"node_errors",
                          {{id,
                            {{"class_type", type},
                             {"errors",
                              {{{"type", "custom_validation_failed"},
                                {"message", "Custom validation failed for node"},
                                {"details", "image - Invalid image file"}}}}}}}}},
                        400);
    }
  }
  return {200};
}

Reply FakeComfyServer::take_prompt(const Call& call) {
  const Json body = Json::parse(call.body, nullptr, false);
  if (!body.is_object() || !body.contains("prompt")) return {500, "500", "text/plain"};
  if (faulty(Fault::kServerError)) return {500, "500 Internal Server Error", "text/plain"};
  const std::string id = body.value("prompt_id", "");
  if (!is_uuid(id)) {
    return json_reply({{"error", {{"type", "invalid_prompt_id"}, {"message", "not a UUID"}}}}, 400);
  }
  const Json& graph = body["prompt"];
  if (Reply no = rejected(graph); no.status != 200) return no;
  const Json errors{{"9",
                     {{"class_type", "SaveVideo"},
                      {"errors",
                       {{{"type", "value_not_in_list"},
                         {"message", "Value not in list"},
                         {"details", "codec: 'av2' not in ['auto']"}}}}}}};
  if (faulty(Fault::kRejects)) {
    return json_reply(
        {{"error", {{"message", "Prompt outputs failed validation"}}}, {"node_errors", errors}},
        400);
  }
  prompt_ids.push_back(id);
  queue_looks = 0;
  graphs.push_back(graph);
  for (const auto& node : graph) {
    if (node["class_type"] == "SaveVideo") prefixes.push_back(node["inputs"]["filename_prefix"]);
  }
  std::string& cached = cache_[graph.dump()];
  if (cached.empty()) {
    cached = prefixes.back() + "_00001_.mp4";
    files_.insert(cached);
  }
  queue_[id] = {graph, cached, static_cast<std::int64_t>(prompt_ids.size()),
                body.value("extra_data", Json::object())};
  socket.begun(body.value("client_id", ""), id, graph);
  const bool partly = faulty(Fault::kNodeErrors);
  if (faulty(Fault::kForgets)) queue_.clear();
  if (faulty(Fault::kDies)) dead_ = true;
  if (faulty(Fault::kRestarts)) {
    restarting_ = plan.restart_calls;
    queue_.clear();
  }
  if (faulty(Fault::kLostAnswer)) return {200, "", "", {}, Reply::Manner::kDrop};
  return json_reply(
      {{"prompt_id", id}, {"number", 0}, {"node_errors", partly ? errors : Json::object()}});
}

void FakeComfyServer::finish(const std::string& id, const Prompt& prompt) {
  Json messages = Json::array({Json::array({"execution_start", {{"prompt_id", id}}})});
  Json outputs = Json::object();
  std::string status = "error";
  const auto error = [&messages](const std::string& type, const std::string& text) {
    messages.push_back(Json::array({"execution_error",
                                    {{"node_id", "3"},
                                     {"node_type", "KSampler"},
                                     {"exception_type", type},
                                     {"exception_message", text},
                                     {"traceback", {"File \"/srv/secret/nodes.py\", line 1"}}}}));
  };
  if (faulty(Fault::kOutOfMemory)) {
    error("torch.OutOfMemoryError", "Allocation on device\nThis error means ...");
  } else if (faulty(Fault::kFails)) {
    error("ValueError", "height not divisible by 2\n  at /srv/secret");
  } else if (faulty(Fault::kInterrupted)) {
    messages.push_back(Json::array({"execution_interrupted", {{"prompt_id", id}}}));
  } else {
    status = "success";
    if (!faulty(Fault::kNoFile)) {
      const std::size_t slash = prompt.file.rfind('/');
      outputs["5"] = {{plan.list,
                       {{{"filename", prompt.file.substr(slash + 1)},
                         {"subfolder", prompt.file.substr(0, slash)},
                         {"type", "output"}}}},
                      {"animated", {true}}};
    }
  }
  const bool interrupted_now = messages.back()[0] == "execution_interrupted";
  socket.ended(id, status == "success" ? "execution_success"
                   : interrupted_now   ? "execution_interrupted"
                                       : "execution_error");
  history_[id] = {
      {"prompt", {prompt.number, id, prompt.graph, prompt.extra, {"5"}}},
      {"outputs", outputs},
      {"status",
       {{"status_str", status}, {"completed", status == "success"}, {"messages", messages}}}};
}

Reply FakeComfyServer::show_queue() {
  if (faulty(Fault::kHangs)) return {200, "", "", {}, Reply::Manner::kHang};
  if (++queue_looks > plan.other_looks) plan.other_prompts = 0;
  Json now = Json::array();
  Json pending = Json::array();
  std::vector<std::string> done;
  if (plan.other_prompts > 0) now.push_back({0, "other", Json::object(), Json::object(), {"5"}});
  for (auto& [id, prompt] : queue_) {
    if (plan.fault != Fault::kUnfinished && ++prompt.looks > plan.looks) {
      done.push_back(id);
      continue;
    }
    if (runs(id)) socket.moved(id);
    (runs(id) ? now : pending).push_back({prompt.number, id, prompt.graph, prompt.extra, {"5"}});
  }
  for (const std::string& id : done) {
    finish(id, queue_.at(id));
    queue_.erase(id);
  }
  return json_reply({{"queue_running", now}, {"queue_pending", pending}});
}

Reply FakeComfyServer::show_history(const std::string& id) {
  const auto found = history_.find(id);
  if (found == history_.end()) return json_reply(Json::object());
  return json_reply({{id, found->second}});
}

Reply FakeComfyServer::view(const Call& call) {
  if (faulty(Fault::kVanishedFile)) return {404, "", "text/plain"};
  if (faulty(Fault::kHtml)) return {200, "<html>login</html>", "text/html"};
  if (faulty(Fault::kRedirect)) return {302, "", "text/plain", {{"Location", plan.redirect_to}}};
  const std::string name = call.query.at("subfolder") + "/" + call.query.at("filename");
  if (!files_.contains(name)) return {404, "", "text/plain"};
  Reply reply{200, plan.clip, "video/mp4"};
  if (faulty(Fault::kCut)) reply.manner = Reply::Manner::kCut;
  if (faulty(Fault::kTrickle)) reply.manner = Reply::Manner::kTrickle;
  return reply;
}

Reply FakeComfyServer::take_upload(const Call& call) {
  const auto form = read_form(call);
  if (!form.contains("image")) return {400, "", "text/plain"};
  const std::string folder = form.contains("subfolder") ? form.at("subfolder").value : "";
  std::string name = form.at("image").file_name;
  const auto path = [&folder](const std::string& file) {
    return folder.empty() ? file : folder + "/" + file;
  };
  // Other bytes under a known name get another name.
  if (uploads.contains(path(name)) && uploads[path(name)] != form.at("image").value) {
    name = "1 " + name;
  }
  uploads[path(name)] = form.at("image").value;
  return json_reply({{"name", name}, {"subfolder", folder}, {"type", "input"}});
}

// Each look frees another GiB after /free was called: it is done in its own time.
Reply FakeComfyServer::stats() {
  Json versions = Json::array();
  for (const std::string& name : packages) versions.push_back({{"name", name}});
  return json_reply({{"system",
                      {{"comfyui_version", plan.version},
                       {"argv", arguments},
                       {"comfy_package_versions", versions}}},
                     {"devices",
                      {{{"name", "cuda:0"},
                        {"type", "cuda"},
                        {"vram_total", vram.total},
                        {"vram_free", vram.free},
                        {"torch_vram_total", vram.reserved},
                        {"torch_vram_free", vram.reserved_idle}}}}});
}

Reply FakeComfyServer::info(const std::string& node_class) const {
  if (!known_nodes().contains(node_class) || plan.missing_nodes.contains(node_class)) {
    return json_reply(Json::object());
  }
  Json required = Json::object();
  for (const std::string& name : known_nodes().at(node_class)) required[name] = {"*", {{"x", 1}}};
  if (node_class == "SaveVideo") {
    const Json codec{"COMBO", {{"options", {"auto", "h264"}}}};
    required["codec"] = codec;
    required["format"] = {"COMBO", {{"options", {"auto", "mp4"}}}};
    if (newer_save_video) {
      required.erase("codec");
      const Json with_codec{{"required", {{"codec", codec}}}};
      required["format"] = {"COMFY_DYNAMICCOMBO_V3",
                            {{"options",
                              {{{"key", "auto"}, {"inputs", with_codec}},
                               {{"key", "mp4"}, {"inputs", with_codec}}}}}};
    }
  }
  if (node_class == "ImageScale") {
    required["upscale_method"] = {{"nearest-exact", "lanczos"}, Json::object()};
    required["crop"] = {{"disabled", "center"}, Json::object()};
  }
  if (node_class == "CheckpointLoaderSimple") {
    required["ckpt_name"] = {{"other.safetensors"}, Json::object()};
  }
  return json_reply({{node_class, {{"input", {{"required", required}}}}}});
}

}  // namespace pytoon::support
