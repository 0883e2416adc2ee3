// Footage made by ComfyUI servers: the image is uploaded, a workflow filled in, the prompt queued,
// followed until it is done, its file fetched and verified. On which server and when is said by
// admission control (engines/prompt_admission.h); without one it is the least busy healthy server,
// at once.
//
// What may go wrong in between is expected: a server that restarts forgets its queue, so a prompt
// that is nowhere is sent again under a new id, a bounded number of times, to whichever server is
// best then. Every attempt has its own prompt id and file prefix: an equal graph would be answered
// from ComfyUI's cache with the names of files that may be gone.
//
// A ComfyUI is local: only this machine and private networks are connected to. One that runs
// elsewhere must be declared remote, so that local_only jobs leave it alone.
//
// Progress is heard over the WebSocket, a socket for each prompt, the prompt's id as client id: a
// second one with the same would silence the first. What it says never decides how a prompt ended.
//
// ComfyUI writes the whole graph into its files; nothing of that gets further than the clip, since
// the renderer only reads its images.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "engines/comfyui/comfy_listener.h"
#include "engines/comfyui/comfy_server.h"
#include "engines/comfyui/workflow.h"
#include "engines/engine.h"

namespace pytoon::engines {

struct ComfySettings {
  std::string name = "local_comfyui";
  std::vector<std::string> urls;
  bool remote = false;
  std::vector<Workflow> workflows;  // the first that draws a request is used
  // Prompts at once on each server: one that runs and one that is ready to follow it.
  int slots_per_server = 2;
  ComfyServer::Limits limits;
  std::chrono::milliseconds poll{500};
  std::chrono::milliseconds recheck{60'000};  // of a workflow that a server could not run
  int attempts = 3;
  // Without an answer: a server that restarts is waited for.
  std::chrono::milliseconds away{30'000};
};

// All must outlive the engine.
struct ComfyParts {
  HttpClient& http;
  Clock& clock;
  IdSource& ids;
  const ClipVerifier& verify;
  Log& log;
};

class ComfyEngine final : public Engine {
 public:
  // kInvalid naming the URL that can't be used.
  static Result<std::unique_ptr<ComfyEngine>> make(ComfySettings settings, ComfyParts parts);

  std::string_view name() const override { return settings_.name; }
  bool remote() const override { return settings_.remote; }
  Capabilities capabilities() const override;
  Result<Quote> quote(const FootageRequest& request) const override;
  Status health(const Watch& watch) override;
  Result<plan::SegmentSource> generate(const FootageRequest& request, const Watch& watch) override;

  // What each server lacks for each workflow, as sentences; none when all is there. For doctor and
  // for the start.
  struct Findings {
    std::vector<std::string> problems;
    bool usable = false;  // some server can run some workflow
  };
  Findings find_problems(const Watch& watch);
  // Before the first generate(); must outlive the engine's last one.
  void admit_by(PromptAdmission& admission) { admission_ = &admission; }
  std::vector<ComfyServer*> servers() const;

 private:
  struct Endpoint {
    std::unique_ptr<ComfyServer> server;
    std::atomic<int> ours{0};  // prompts of this process
    ComfyListener::Told told{false};
  };
  // What is known of a workflow on a server.
  struct Checked {
    SteadyTime at{};
    std::vector<std::string> missing;
    Json graph;  // its own, in the form of that server
  };
  struct Attempt {
    Endpoint& endpoint;
    const Workflow& workflow;
    const FootageRequest& request;
    const Watch& watch;
    std::string prompt_id;
    bool tiled = true;
  };
  // Whether it is worth another attempt: the prompt is lost, not wrong.
  struct Ended {
    Result<plan::SegmentSource> footage;
    bool lost = false;
  };

  ComfyEngine(ComfySettings settings, ComfyParts parts, std::vector<WebAddress> bases);

  // Those that answer and can run the workflow, the least busy first; at least one.
  Result<std::vector<Endpoint*>> endpoints_for(const Workflow& workflow, const Watch& watch);
  Status await_return(const Watch& watch);
  Ended try_once(const Workflow& workflow, const FootageRequest& request, const Watch& watch);
  Result<std::unique_ptr<PromptTurn>> wait_turn(const std::vector<Endpoint*>& endpoints,
                                                const Workflow& workflow,
                                                const FootageRequest& request, const Watch& watch);
  Result<const Workflow*> workflow_for(const FootageRequest& request) const;
  Result<plan::SegmentSource> generate_somewhere(const FootageRequest& request, const Watch& watch);
  Failure for_tenants(Failure failure) const;
  Result<std::vector<std::string>> missing_on(Endpoint& endpoint, const Workflow& workflow,
                                              const Watch& watch);
  Ended attempt(const Attempt& attempt);
  std::optional<Ended> adopt(const std::vector<Endpoint*>& endpoints, const Workflow& workflow,
                             const FootageRequest& request, const Watch& watch);
  SteadyTime patience_with_queue(const Watch& watch) const;
  Ended follow(const Attempt& attempt, ComfyListener& listener);
  Ended conclude(const Attempt& attempt, const Json& entry);
  Ended fetch(const Attempt& attempt, const ComfyFile& file);
  Result<Json> graph_for(const Attempt& attempt);
  Json form_for(const Attempt& attempt);
  void forget_form(const Attempt& attempt);
  void call_off(const Attempt& attempt);

  const ComfySettings settings_;
  const ComfyParts parts_;
  PromptAdmission* admission_ = nullptr;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::mutex mutex_;                                                // protects what follows
  std::map<std::pair<std::string, std::string>, Checked> checked_;  // by origin and workflow
};

}  // namespace pytoon::engines
