// One attempt of a ComfyEngine at a segment: from the upload to the verified file.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "engines/comfyui/comfy_engine.h"

namespace pytoon::engines {
namespace {

using Where = ComfyServer::Place::Where;

constexpr std::chrono::seconds kCallOff{2};
constexpr std::chrono::milliseconds kStopPoll{100};
constexpr int kQueueLimits = 4;  // times its own limit, a prompt may wait in ComfyUI's queue
constexpr int kAbsencesMax = 2;  // in a row, nowhere to be found
constexpr int kDownloadsMax = 2;
constexpr std::size_t kNameDigits = 32;
// SaveVideo converts by BT.601 at any size and writes no tag.
constexpr media::UnsaidMatrix kComfyMatrix = media::UnsaidMatrix::kBt601;

Failure lost(const std::string& how) { return failure(FailureKind::kUnavailable, how); }

// What is made, and by what: a prompt that was ordered for the same is as good as a new one.
std::string task_of(const FootageRequest& request, const Workflow& workflow) {
  return request.key() + "/" + workflow.name;
}

}  // namespace

// The graph of this attempt; its image is on the server afterwards.
Result<Json> ComfyEngine::graph_for(const Attempt& attempt) {
  const Workflow& workflow = attempt.workflow;
  Json values{{"prompt", attempt.request.prompt},
              {"negative_prompt", workflow.negative_prompt},
              {"seed", attempt.request.seed},
              {"width", workflow.width},
              {"height", workflow.height},
              {"frames", workflow.frames_for(attempt.request.duration_seconds)},
              {"fps", static_cast<double>(workflow.fps)},
              {"filename_prefix", "pytoon/" + attempt.prompt_id + "/clip"},
              {"image", nullptr}};
  if (workflow.needs_image) {
    const plan::InputFile& image = *attempt.request.image;
    const Result<std::string> name = attempt.endpoint.server->upload(
        image.path, image.sha256.substr(0, kNameDigits) + ".png", attempt.watch);
    if (!name) return name.failure();
    values["image"] = *name;
  }
  const Json graph = form_for(attempt);
  return filled(attempt.tiled ? with_tiled_decoding(graph) : graph, values);
}

// As the server described its nodes when it was checked.
Json ComfyEngine::form_for(const Attempt& attempt) {
  const std::lock_guard lock(mutex_);
  const auto known = checked_.find({attempt.endpoint.server->base().origin, attempt.workflow.name});
  return known == checked_.end() ? attempt.workflow.graph : known->second.graph;
}

// A server that rejects may have come back as another version: it is asked again.
void ComfyEngine::forget_form(const Attempt& attempt) {
  const std::lock_guard lock(mutex_);
  checked_.erase({attempt.endpoint.server->base().origin, attempt.workflow.name});
}

// With time of its own: the attempt's may be over. Best effort; what can't be reached now has
// either died with the prompt or will finish it for nobody.
void ComfyEngine::call_off(const Attempt& attempt) {
  Watch watch;
  watch.deadline = parts_.clock.steady_now() + kCallOff;
  ComfyServer& server = *attempt.endpoint.server;
  const Status ignored = server.cancel(attempt.prompt_id, watch);
  // What was stopped while it ran stands in the history, as soon as it has stopped.
  for (;;) {
    const auto place = server.find(attempt.prompt_id, watch);
    if (!place || place->where == Where::kNowhere) return;
    if (place->where == Where::kFinished) {
      const Status kept = server.forget(attempt.prompt_id, watch);
      return;
    }
    if (!pause(parts_.clock, watch, kStopPoll)) return;
  }
}

ComfyEngine::Ended ComfyEngine::attempt(const Attempt& attempt) {
  const Result<Json> graph = graph_for(attempt);
  if (!graph) return {graph.failure(), is_transport_failure(graph.failure().kind)};
  ComfyListener listener(parts_.clock, parts_.log, attempt.endpoint.told);
  listener.open(*attempt.endpoint.server, attempt.prompt_id, attempt.watch);
  const auto submitted =
      attempt.endpoint.server->submit(*graph, attempt.prompt_id, attempt.prompt_id,
                                      task_of(attempt.request, attempt.workflow), attempt.watch);
  if (!submitted && !is_transport_failure(submitted.failure().kind)) {
    if (submitted.failure().kind == FailureKind::kCancelled) call_off(attempt);
    return {submitted.failure()};
  }
  if (submitted && !submitted->rejection.empty()) {
    forget_form(attempt);
    // Part of the graph may be queued all the same.
    if (!submitted->prompt_id.empty()) call_off(attempt);
    return {failure(FailureKind::kEngine,
                    "rejects workflow " + attempt.workflow.name + ": " + submitted->rejection)};
  }
  // Without an answer it may have arrived: following it tells, and nothing is sent twice.
  Attempt queued{attempt.endpoint,
                 attempt.workflow,
                 attempt.request,
                 attempt.watch,
                 submitted ? submitted->prompt_id : attempt.prompt_id,
                 attempt.tiled};
  listener.follow(*graph, queued.prompt_id);
  Ended ended = follow(queued, listener);
  if (!ended.footage) {
    const FailureKind kind = ended.footage.failure().kind;
    const bool unfinished = kind == FailureKind::kCancelled || kind == FailureKind::kTimeout;
    if (unfinished || ended.lost) call_off(queued);
  }
  return ended;
}

// A process that died leaves its prompt to run for nobody. Who has its task now follows that one
// where it is, instead of making the same again behind it: it needs no turn, since it runs already,
// or has run. nullopt when there is none, or nothing came of it.
std::optional<ComfyEngine::Ended> ComfyEngine::adopt(const std::vector<Endpoint*>& endpoints,
                                                     const Workflow& workflow,
                                                     const FootageRequest& request,
                                                     const Watch& watch) {
  for (Endpoint* const endpoint : endpoints) {
    const auto order = endpoint->server->order_for(task_of(request, workflow), watch);
    if (!order || !*order) continue;
    const std::string& id = (*order)->prompt_id;
    parts_.log.info("comfyui_prompt_adopted", {{"job_id", request.job_id},
                                               {"trace_id", watch.trace_id()},
                                               {"segment_id", request.segment},
                                               {"endpoint", endpoint->server->base().origin},
                                               {"prompt_id", id}});
    const Attempt attempt{*endpoint, workflow, request, watch, id};
    ComfyListener listener(parts_.clock, parts_.log, endpoint->told);
    listener.open(*endpoint->server, id, watch);
    listener.follow((*order)->graph, id);
    Ended ended = follow(attempt, listener);
    if (ended.footage) return ended;
    call_off(attempt);
    const FailureKind kind = ended.footage.failure().kind;
    if (kind == FailureKind::kCancelled || kind == FailureKind::kTimeout) return ended;
  }
  return std::nullopt;
}

// Somebody else's prompts may be ahead of it, but not for ever.
SteadyTime ComfyEngine::patience_with_queue(const Watch& watch) const {
  if (!watch.limit) return watch.deadline;
  return std::min(watch.deadline, parts_.clock.steady_now() + *watch.limit * kQueueLimits);
}

ComfyEngine::Ended ComfyEngine::follow(const Attempt& attempt, ComfyListener& listener) {
  int absences = 0;
  SteadyTime answered = parts_.clock.steady_now();
  bool runs = false;
  Watch watch = attempt.watch;
  watch.deadline = patience_with_queue(watch);
  for (;;) {
    const Result<bool> woken = listener.wait(settings_.poll, watch);
    if (!woken) return {woken.failure()};
    const auto place = attempt.endpoint.server->find(attempt.prompt_id, watch);
    if (!place) {
      if (place.failure().kind == FailureKind::kCancelled) return {place.failure()};
      if (parts_.clock.steady_now() - answered >= settings_.away) {
        return {lost("went away: " + place.failure().detail), true};
      }
      continue;
    }
    answered = parts_.clock.steady_now();
    // Its limit counts from here: what waits in ComfyUI's queue waits for somebody else's prompt.
    if (place->where == Where::kPending && watch.waiting) {
      watch.waiting("ComfyUI runs another prompt");
    }
    if (place->where == Where::kRunning && !std::exchange(runs, true)) {
      watch = begun(parts_.clock, attempt.watch);
      if (watch.waiting) watch.waiting("");
    }
    if (place->where == Where::kFinished) return conclude(attempt, place->entry);
    // A poll out of turn may be early: it does not count.
    if (*woken && place->where == Where::kNowhere) continue;
    absences = place->where == Where::kNowhere ? absences + 1 : 0;
    if (absences >= kAbsencesMax) return {lost("has lost the prompt"), true};
  }
}

ComfyEngine::Ended ComfyEngine::conclude(const Attempt& attempt, const Json& entry) {
  const ComfyOutcome outcome = read_outcome(entry);
  Ended ended{failure(FailureKind::kEngine, outcome.detail)};
  switch (outcome.kind) {
    case ComfyOutcome::Kind::kOutOfMemory:
      ended.footage = failure(FailureKind::kOutOfMemory, outcome.detail);
      break;
    case ComfyOutcome::Kind::kInterrupted:
    case ComfyOutcome::Kind::kFailed:
      break;
    case ComfyOutcome::Kind::kDone:
      ended = outcome.files.empty()
                  ? Ended{failure(FailureKind::kEngine, "finished without a file")}
                  : fetch(attempt, outcome.files.front());
      break;
  }
  // Entries hold the whole graph and are kept for ever otherwise. If it fails, it is kept.
  const Status forgotten = attempt.endpoint.server->forget(attempt.prompt_id, attempt.watch);
  if (!forgotten && forgotten.failure().kind == FailureKind::kCancelled) {
    return {forgotten.failure()};
  }
  return ended;
}

ComfyEngine::Ended ComfyEngine::fetch(const Attempt& attempt, const ComfyFile& file) {
  const std::filesystem::path& output = attempt.request.output;
  Failure last;
  for (int tries = 0; tries < kDownloadsMax; ++tries) {
    const Status saved = attempt.endpoint.server->download(file, output, attempt.watch);
    const Result<double> seconds =
        saved ? parts_.verify(output, kComfyMatrix) : Result<double>(saved.failure());
    if (seconds) {
      Result<std::string> sha256 = sha256_file(output);
      if (!sha256) return {sha256.failure()};
      return {plan::SegmentSource(plan::SourceKind::kClip,
                                  plan::InputFile{output, std::move(*sha256)})};
    }
    last = seconds.failure();
    std::error_code ignored;
    std::filesystem::remove(output, ignored);
    if (last.kind == FailureKind::kNotFound)
      return {lost("answered with a file that is gone"), true};
    if (!is_transport_failure(last.kind) && last.kind != FailureKind::kMedia) break;
  }
  // A server that dies while it sends is as lost as one that dies before.
  return {last, is_transport_failure(last.kind) && last.kind != FailureKind::kTimeout};
}

}  // namespace pytoon::engines
