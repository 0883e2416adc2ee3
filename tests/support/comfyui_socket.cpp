#include "tests/support/comfyui_socket.h"

#include <sys/socket.h>
#include <nlohmann/json.hpp>

#include "tests/support/web_socket_peer.h"

namespace pytoon::support {

using Json = nlohmann::json;
using Manner = ComfySocket::Manner;

namespace {

constexpr std::size_t kHugeTextBytes = 5'000'000;
constexpr int kSteps = 2;  // of each node

std::string event(const std::string& type, Json data) {
  return frame(Opcode::kText, Json{{"type", type}, {"data", std::move(data)}}.dump());
}

std::string status() {
  return event("status", {{"status", {{"exec_info", {{"queue_remaining", 1}}}}}});
}

std::string preview(const std::string& kind) {
  return frame(Opcode::kBinary,
               std::string("\0\0\0", 3) + kind + std::string("\0\0\0\1\xff\xd8", 6));
}

// Everything of the state of its nodes: those before `at` are done, that one is half done.
Json state_of(const std::string& prompt, const std::vector<std::string>& nodes, std::size_t at) {
  Json states = Json::object();
  for (std::size_t i = 0; i <= at && i < nodes.size(); ++i) {
    states[nodes[i]] = {{"value", i < at ? kSteps : kSteps / 2},
                        {"max", kSteps},
                        {"state", i < at ? "finished" : "running"},
                        {"node_id", nodes[i]},
                        {"prompt_id", prompt},
                        {"display_node_id", nodes[i]},
                        {"parent_node_id", nullptr},
                        {"real_node_id", nodes[i]}};
  }
  return {{"prompt_id", prompt}, {"nodes", states}};
}

std::string nonsense() {
  std::string bytes;
  for (const char* text :
       {"", "no JSON", "7", "null", "[]", "{}", R"({"type":7,"data":7})", R"({"data":{}})",
        R"({"type":"progress","data":{"prompt_id":{},"value":"x"}})",
        R"({"type":"execution_success","data":[]})", R"({"type":"executing","data":null})"}) {
    bytes += frame(Opcode::kText, text);
  }
  return bytes;
}

// Nonsense that names the prompt.
std::string nonsense_of(const std::string& prompt) {
  std::string bytes;
  const auto say = [&bytes, &prompt](const std::string& type, Json data) {
    data["prompt_id"] = prompt;
    bytes += event(type, std::move(data));
  };
  say("progress", {{"value", 1}, {"max", 0}, {"node", "3"}});
  say("progress", {{"value", -5}, {"max", -1}, {"node", "3"}});
  say("progress", {{"value", "1"}, {"max", "2"}, {"node", 3}});
  say("progress", {{"value", 1e308}, {"max", 1e-308}, {"node", "nowhere"}});
  say("progress_state", {{"nodes", {{"3", 7}, {"nowhere", {{"state", "finished"}}}}}});
  say("progress_state", {{"nodes", "all"}});
  say("execution_cached", {{"nodes", {7, nullptr, "nowhere"}}});
  say("executing", {{"node", 7}});
  say("executed", {{"node", nullptr}});
  say("something_new", {{"node", "3"}});
  return bytes;
}

}  // namespace

Reply ComfySocket::answer(const Call& call, const FakeHttpServer& server) {
  if (manner == Manner::kRefuses) return {404, "404: Not Found", "text/plain"};
  if (manner == Manner::kForbids) return {403, "no", "text/plain"};
  if (manner == Manner::kHangs) return {200, "", "", {}, Reply::Manner::kHang};
  Reply reply;
  reply.manner = Reply::Manner::kTakeOver;
  reply.talk = [this, call, &server](int fd) { talk(fd, call, server); };
  return reply;
}

void ComfySocket::talk(int fd, const Call& call, const FakeHttpServer& server) {
  const auto id = call.query.find("clientId");
  const std::string client = id == call.query.end() ? "" : id->second;
  {
    const std::lock_guard lock(mutex_);
    sockets_[client] = fd;
    clients_.push_back(client);
  }
  std::string key = call.headers.at("sec-websocket-key");
  if (manner == Manner::kWrongKey) key += "x";
  write_all(fd, upgrade_answer(key), server);
  if (manner != Manner::kSilent) send(client, "status", {{"sid", client}});
  spoil(fd, server);
  read_until_gone(fd, server);
  const std::lock_guard lock(mutex_);
  if (const auto found = sockets_.find(client); found != sockets_.end() && found->second == fd) {
    sockets_.erase(found);
  }
}

void ComfySocket::spoil(int fd, const FakeHttpServer& server) {
  if (manner == Manner::kGarbage) write_all(fd, "\xff\x12no frame\x80\x00\x7f", server);
  if (manner == Manner::kHugeFrame) {
    write_all(fd, frame_head(Opcode::kText, std::uint64_t{1} << 40) + "x", server);
  }
  if (manner == Manner::kHugeText) {
    write_all(fd, frame(Opcode::kText, std::string(kHugeTextBytes, 'x')), server);
  }
  if (manner == Manner::kNonsense) write_all(fd, nonsense(), server);
  const std::string endless = manner == Manner::kPings ? frame(Opcode::kPing, "p") : status();
  if (manner != Manner::kFloods && manner != Manner::kPings) return;
  while (write_all(fd, endless, server) && !server.stopping()) {
  }
}

void ComfySocket::send_bytes(const std::string& client, const std::string& bytes) {
  const auto found = sockets_.find(client);
  if (found == sockets_.end() || manner == Manner::kSilent) return;
  // What does not fit is lost, as for a real one's slow client.
  ::send(found->second, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ComfySocket::send(const std::string& client, const std::string& type, Json data) {
  const std::lock_guard lock(mutex_);
  send_bytes(client, event(type, std::move(data)));
}

void ComfySocket::begun(const std::string& client, const std::string& prompt, const Json& graph) {
  const std::lock_guard lock(mutex_);
  Run run{client, {}, 0};
  for (const auto& item : graph.items()) run.nodes.push_back(item.key());
  send_bytes(client,
             status() + event("execution_start", {{"prompt_id", prompt}}) +
                 event("execution_cached", {{"prompt_id", prompt}, {"nodes", Json::array()}}));
  runs_[prompt] = std::move(run);
  misbehave(client, prompt);
}

void ComfySocket::misbehave(const std::string& client, const std::string& prompt) {
  const std::string other = "11111111-2222-4333-8444-555555555555";
  switch (manner) {
    case Manner::kBinary:
      send_bytes(client, preview("\1") + preview("\3") + preview("\4") + preview("\x7f") +
                             frame(Opcode::kBinary, "") + frame(Opcode::kBinary, "\x01"));
      break;
    case Manner::kNonsense:
      send_bytes(client, nonsense_of(prompt));
      break;
    case Manner::kOthers:
      send_bytes(client,
                 event("progress",
                       {{"prompt_id", other}, {"node", "3"}, {"value", kSteps}, {"max", kSteps}}) +
                     event("executing", {{"prompt_id", other}, {"node", nullptr}}) +
                     event("execution_success", {{"prompt_id", other}}));
      break;
    case Manner::kEarlyEnd:
      send_bytes(client, event("execution_success", {{"prompt_id", prompt}}) +
                             event("executing", {{"prompt_id", prompt}, {"node", nullptr}}));
      break;
    case Manner::kSaysFailed:
      send_bytes(client, event("execution_error", {{"prompt_id", prompt},
                                                   {"exception_type", "torch.OutOfMemoryError"}}) +
                             event("execution_interrupted", {{"prompt_id", prompt}}));
      break;
    default:
      break;
  }
}

void ComfySocket::moved(const std::string& prompt) {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(prompt);
  if (found == runs_.end() || found->second.at >= found->second.nodes.size()) return;
  Run& run = found->second;
  const std::string& node = run.nodes[run.at];
  send_bytes(
      run.client,
      event("progress_state", state_of(prompt, run.nodes, run.at)) +
          event("executing", {{"prompt_id", prompt}, {"node", node}}) +
          event("progress",
                {{"prompt_id", prompt}, {"node", node}, {"value", kSteps / 2}, {"max", kSteps}}) +
          preview("\1"));
  ++run.at;
  const auto socket = sockets_.find(run.client);
  if (socket == sockets_.end()) return;
  if (manner == Manner::kCloses) send_bytes(run.client, frame(Opcode::kClose, "\x03\xe9"));
  if (manner == Manner::kDrops) ::shutdown(socket->second, SHUT_RDWR);
}

void ComfySocket::ended(const std::string& prompt, const std::string& how) {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(prompt);
  if (found == runs_.end()) return;
  send_bytes(found->second.client,
             event(how, {{"prompt_id", prompt}}) + status() +
                 event("executing", {{"prompt_id", prompt}, {"node", nullptr}}));
  runs_.erase(found);
}

int ComfySocket::opened() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(clients_.size());
}

std::vector<std::string> ComfySocket::clients() const {
  const std::lock_guard lock(mutex_);
  return clients_;
}

}  // namespace pytoon::support
