#include "engines/comfyui/comfy_engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pytoon::engines {
namespace {

constexpr const char* kItsServer = "its server";
constexpr const char* kResolvedTo = " is at ";

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>& count_;
};

}  // namespace

Result<std::unique_ptr<ComfyEngine>> ComfyEngine::make(ComfySettings settings, ComfyParts parts) {
  std::vector<WebAddress> bases;
  for (const std::string& url : settings.urls) {
    Result<WebAddress> base = parse_web_address(url);
    if (!base) return base.failure();
    bases.push_back(std::move(*base));
  }
  CHECK(!bases.empty() && !settings.workflows.empty(), "a ComfyUI engine has servers and graphs");
  return std::unique_ptr<ComfyEngine>(
      new ComfyEngine(std::move(settings), parts, std::move(bases)));
}

ComfyEngine::ComfyEngine(ComfySettings settings, ComfyParts parts, std::vector<WebAddress> bases)
    : settings_(std::move(settings)), parts_(parts) {
  const EgressScope egress = settings_.remote ? EgressScope::kAny : EgressScope::kPrivate;
  for (WebAddress& base : bases) {
    endpoints_.push_back(std::make_unique<Endpoint>());
    endpoints_.back()->server = std::make_unique<ComfyServer>(
        parts_.http, parts_.clock, std::move(base), egress, settings_.limits);
  }
}

Capabilities ComfyEngine::capabilities() const {
  Capabilities can;
  can.waits_for_turn = true;
  can.slots = settings_.slots_per_server * static_cast<int>(settings_.urls.size());
  for (const Workflow& workflow : settings_.workflows) {
    for (const spec::Archetype archetype : workflow.archetypes) {
      if (std::find(can.archetypes.begin(), can.archetypes.end(), archetype) ==
          can.archetypes.end()) {
        can.archetypes.push_back(archetype);
      }
    }
    (workflow.needs_image ? can.image_to_video : can.text_to_video) = true;
    can.redraws = can.redraws || workflow.redraws;
    can.vram_bytes = std::max(can.vram_bytes, workflow.vram_bytes);
  }
  return can;
}

// Alive is enough here: what a server lacks depends on the workflow.
Status ComfyEngine::health(const Watch& watch) {
  Failure last;
  for (const auto& endpoint : endpoints_) {
    const Result<int> queued = endpoint->server->queue_length(watch);
    if (queued) return ok_status();
    last = queued.failure();
  }
  return for_tenants(last);
}

Result<std::vector<std::string>> ComfyEngine::missing_on(Endpoint& endpoint,
                                                         const Workflow& workflow,
                                                         const Watch& watch) {
  const std::pair<std::string, std::string> key{endpoint.server->base().origin, workflow.name};
  {
    const std::lock_guard lock(mutex_);
    const auto known = checked_.find(key);
    const SteadyTime now = parts_.clock.steady_now();
    if (known != checked_.end() &&
        (known->second.missing.empty() || now - known->second.at < settings_.recheck)) {
      return known->second.missing;
    }
  }
  Json info = Json::object();
  for (const std::string& node_class : classes_of(workflow)) {
    const Result<Json> one = endpoint.server->object_info(node_class, watch);
    if (!one) return one.failure();
    info.update(*one);
  }
  const Result<Json> stats = endpoint.server->system_stats(watch);
  if (!stats) return stats.failure();
  std::vector<std::string> missing = missing_for(workflow, info);
  if (std::string old = too_old(*stats); !old.empty()) missing.push_back(std::move(old));
  const std::lock_guard lock(mutex_);
  checked_[key] = {parts_.clock.steady_now(), missing, in_form_of_server(workflow.graph, info)};
  return missing;
}

ComfyEngine::Findings ComfyEngine::find_problems(const Watch& watch) {
  Findings found;
  for (const auto& endpoint : endpoints_) {
    for (const Workflow& workflow : settings_.workflows) {
      const auto missing = missing_on(*endpoint, workflow, watch);
      if (!missing) {
        found.problems.push_back(endpoint->server->base().origin + ": " + missing.failure().detail);
        break;  // the server does not answer: its other workflows need no asking
      }
      found.usable = found.usable || missing->empty();
      for (const std::string& sentence : *missing) {
        found.problems.push_back(endpoint->server->base().origin + ", workflow " + workflow.name +
                                 ": " + sentence);
      }
    }
  }
  return found;
}

std::vector<ComfyServer*> ComfyEngine::servers() const {
  std::vector<ComfyServer*> servers;
  for (const auto& endpoint : endpoints_) servers.push_back(endpoint->server.get());
  return servers;
}

Result<std::vector<ComfyEngine::Endpoint*>> ComfyEngine::endpoints_for(const Workflow& workflow,
                                                                       const Watch& watch) {
  std::vector<std::pair<int, Endpoint*>> found;
  Failure last;
  for (const auto& endpoint : endpoints_) {
    const Result<int> queued = endpoint->server->queue_length(watch);
    if (!queued) {
      last = queued.failure();
      continue;
    }
    const auto missing = missing_on(*endpoint, workflow, watch);
    if (!missing || !missing->empty()) {
      last = missing ? failure(FailureKind::kUnavailable,
                               endpoint->server->base().origin + " can't run workflow " +
                                   workflow.name + ": " + joined(*missing))
                     : missing.failure();
      continue;
    }
    // Ours that are on their way there are not in its queue yet.
    found.emplace_back(std::max(*queued, endpoint->ours.load()), endpoint.get());
  }
  if (found.empty()) return last;
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Endpoint*> endpoints;
  for (const auto& [load, endpoint] : found) endpoints.push_back(endpoint);
  return endpoints;
}

Result<std::unique_ptr<PromptTurn>> ComfyEngine::wait_turn(const std::vector<Endpoint*>& endpoints,
                                                           const Workflow& workflow,
                                                           const FootageRequest& request,
                                                           const Watch& watch) {
  PromptWish wish;
  wish.task = request.key();
  wish.engine = settings_.name;
  wish.workflow = workflow.name;
  wish.prior = prior_of(workflow);
  for (const Endpoint* const endpoint : endpoints) {
    wish.endpoints.push_back(endpoint->server->base().origin);
  }
  wish.priority = request.priority;
  wish.waiting_since = request.waiting_since;
  if (request.alternative) {
    wish.may_leave = true;
    wish.micro_usd = request.alternative->micro_usd;
    wish.latency = request.alternative->latency;
  }
  return admission_->wait_turn(wish, watch);
}

ComfyEngine::Ended ComfyEngine::try_once(const Workflow& workflow, const FootageRequest& request,
                                         const Watch& watch) {
  const Result<std::vector<Endpoint*>> endpoints = endpoints_for(workflow, watch);
  if (!endpoints) {
    const FailureKind kind = endpoints.failure().kind;
    const bool over = kind == FailureKind::kCancelled || kind == FailureKind::kTimeout;
    return {endpoints.failure(), !over};
  }
  if (request.taken_over) {
    if (auto adopted = adopt(*endpoints, workflow, request, watch)) return std::move(*adopted);
  }
  Endpoint* chosen = endpoints->front();
  std::unique_ptr<PromptTurn> turn;
  if (admission_ != nullptr) {
    Result<std::unique_ptr<PromptTurn>> given = wait_turn(*endpoints, workflow, request, watch);
    if (!given) return {given.failure()};
    turn = std::move(*given);
    for (Endpoint* const endpoint : *endpoints) {
      if (endpoint->server->base().origin == turn->endpoint()) chosen = endpoint;
    }
  }
  const Counted counted(chosen->ours);
  const bool tiled = turn == nullptr || turn->tiled();
  Ended ended = attempt({*chosen, workflow, request, watch, parts_.ids.next(), tiled});
  if (turn != nullptr) {
    const bool exhausted =
        !ended.footage && ended.footage.failure().kind == FailureKind::kOutOfMemory;
    turn->ended(ended.footage ? PromptEnd::kDone
                : exhausted   ? PromptEnd::kOutOfMemory
                              : PromptEnd::kFailed);
    // Its profile knows better now: once more, with the memory that it really needs.
    ended.lost = ended.lost || exhausted;
  }
  return ended;
}

// After a prompt was lost: a server that restarts is not there for a while.
Status ComfyEngine::await_return(const Watch& watch) {
  const SteadyTime until = parts_.clock.steady_now() + settings_.away;
  for (;;) {
    if (Status waited = pause(parts_.clock, watch, settings_.poll); !waited) return waited;
    const bool back = std::any_of(endpoints_.begin(), endpoints_.end(), [&](const auto& endpoint) {
      return endpoint->server->queue_length(watch).ok();
    });
    if (back || parts_.clock.steady_now() >= until) return ok_status();
  }
}

Result<const Workflow*> ComfyEngine::workflow_for(const FootageRequest& request) const {
  const auto workflow = std::find_if(settings_.workflows.begin(), settings_.workflows.end(),
                                     [&request](const Workflow& w) { return w.draws(request); });
  if (workflow == settings_.workflows.end()) {
    return failure(FailureKind::kForbidden, "has no workflow for this segment");
  }
  return &*workflow;
}

// A server runs one prompt at a time.
Result<Quote> ComfyEngine::quote(const FootageRequest& request) const {
  const Result<const Workflow*> workflow = workflow_for(request);
  if (!workflow) return workflow.failure();
  return Quote{0, (*workflow)->run, static_cast<int>(endpoints_.size()),
               settings_.remote ? "" : (*workflow)->name};
}

Result<plan::SegmentSource> ComfyEngine::generate_somewhere(const FootageRequest& request,
                                                            const Watch& watch) {
  const Result<const Workflow*> found = workflow_for(request);
  if (!found) return found.failure();
  const Workflow* const workflow = *found;
  Failure last;
  for (int tries = 0; tries < settings_.attempts; ++tries) {
    if (tries > 0) {
      if (Status back = await_return(watch); !back) return back.failure();
    }
    Ended ended = try_once(*workflow, request, watch);
    if (ended.footage || !ended.lost) return ended.footage;
    last = ended.footage.failure();
  }
  return last;
}

// Where our servers are is nobody's business but the operator's, who has the log.
Failure ComfyEngine::for_tenants(Failure failure) const {
  const std::string full = failure.detail;
  for (const auto& endpoint : endpoints_) {
    const WebAddress& base = endpoint->server->base();
    for (const std::string& name : {base.origin, base.host}) {
      for (std::size_t at = failure.detail.find(name); at != std::string::npos;
           at = failure.detail.find(name)) {
        failure.detail.replace(at, name.size(), kItsServer);
      }
    }
  }
  // What the name of the server was resolved to.
  if (const std::size_t at = failure.detail.find(kResolvedTo); at != std::string::npos) {
    failure.detail.erase(at);
  }
  if (failure.detail != full) {
    parts_.log.warning("engine_failed", {{"engine", settings_.name}, {"reason", full}});
  }
  return failure;
}

Result<plan::SegmentSource> ComfyEngine::generate(const FootageRequest& request,
                                                  const Watch& watch) {
  Result<plan::SegmentSource> made = generate_somewhere(request, watch);
  if (!made) return for_tenants(made.failure());
  return made;
}

}  // namespace pytoon::engines
