#include "tests/support/fake_remote_server.h"

#include <nlohmann/json.hpp>

namespace pytoon::support {

using Json = nlohmann::json;
using Fault = RemotePlan::Fault;
using Manner = Reply::Manner;

namespace {

constexpr std::size_t kHugeBytes = 3'000'000;

Reply json_reply(const Json& json, int status = 200) { return {status, json.dump()}; }

}  // namespace

FakeRemoteServer::FakeRemoteServer() : server_([this](const Call& call) { return answer(call); }) {}

bool FakeRemoteServer::faulty(Fault fault) {
  if (plan.fault != fault || plan.times <= 0) return false;
  --plan.times;
  return true;
}

Reply FakeRemoteServer::answer(const Call& call) {
  const auto key = call.headers.find("authorization");
  if (key == call.headers.end() || key->second != std::string("Bearer ") + kKey) {
    faults.push_back("no key: " + call.path);
    return json_reply({{"error", "no key"}}, 401);
  }
  if (call.path == "/health") return json_reply({}, faulty(Fault::kSick) ? 500 : 200);
  if (call.path == "/v1/images" && call.method == "POST") {
    const auto form = read_form(call);
    if (!form.contains("image")) return json_reply({{"error", "no image"}}, 400);
    images.push_back(form.at("image").value);
    return json_reply({{"image", "image-" + std::to_string(images.size())}}, 201);
  }
  if (call.path == "/v1/generations" && call.method == "POST") return take_order(call);
  const std::string prefix = "/v1/generations/";
  if (call.path.starts_with(prefix)) {
    const std::string id = call.path.substr(prefix.size());
    if (call.method == "DELETE") {
      cancelled.push_back(id);
      return json_reply({{"id", id}}, faulty(Fault::kUncancelable) ? 409 : 200);
    }
    return show(id);
  }
  if (call.path == "/video.mp4") return video();
  return json_reply({{"error", "no such path"}}, 404);
}

Reply FakeRemoteServer::take_order(const Call& call) {
  const Json order = Json::parse(call.body, nullptr, false);
  for (const char* name : {"prompt", "seconds", "seed", "archetype"}) {
    if (!order.is_object() || !order.contains(name)) {
      faults.push_back(std::string("an order without ") + name);
      return json_reply({{"error", name}}, 400);
    }
  }
  if (faulty(Fault::kBusy)) return {429, "{}", "application/json", {{"Retry-After", "0"}}};
  if (faulty(Fault::kServerError)) return json_reply({{"error", "oops"}}, 500);
  if (faulty(Fault::kRefuses)) return json_reply({{"error", "the prompt is not allowed"}}, 422);
  const auto header = call.headers.find("idempotency-key");
  const std::string key = header == call.headers.end() ? "" : header->second;
  keys.push_back(key);
  std::string id = plan.honours_idempotency && !key.empty() ? by_key_[key] : "";
  if (id.empty()) {
    ++paid;
    ++taken_;
    orders.push_back(order);
    id = "order-" + std::to_string(paid);
    by_key_[key] = id;
    looks_[id] = 0;
  }
  if (faulty(Fault::kLostAnswer)) return {200, "", "", {}, Manner::kDrop};
  if (faulty(Fault::kHangs)) return {200, "", "", {}, Manner::kHang};
  return json_reply({{"id", id}}, 201);
}

Reply FakeRemoteServer::show(const std::string& id) {
  if (!looks_.contains(id) || faulty(Fault::kForgets)) return json_reply({}, 404);
  if (faulty(Fault::kPollErrors)) return json_reply({}, 502);
  if (faulty(Fault::kGarbage)) return {200, "no JSON"};
  const int looks = ++looks_[id];
  const bool endless = plan.fault == Fault::kUnfinished || plan.fault == Fault::kUncancelable;
  if (looks <= plan.looks || endless) {
    return json_reply({{"status", "running"}, {"progress", 0.5}});
  }
  if (faulty(Fault::kFails)) {
    return json_reply({{"status", "failed"}, {"error", "the model gave up"}});
  }
  if (faulty(Fault::kNoVideo)) return json_reply({{"status", "succeeded"}});
  std::string link = "/video.mp4";
  if (faulty(Fault::kLink)) link = plan.redirect_to;
  return json_reply({{"status", "succeeded"}, {"video_url", link}});
}

Reply FakeRemoteServer::video() {
  if (faulty(Fault::kHtml)) return {200, "<html>login</html>", "text/html"};
  if (faulty(Fault::kRedirect)) return {302, "", "text/plain", {{"Location", plan.redirect_to}}};
  if (faulty(Fault::kHuge)) return {200, std::string(kHugeBytes, 'x'), "video/mp4"};
  Reply reply{200, plan.clip, "video/mp4"};
  if (faulty(Fault::kCut)) reply.manner = Manner::kCut;
  if (faulty(Fault::kTrickle)) reply.manner = Manner::kTrickle;
  return reply;
}

}  // namespace pytoon::support
