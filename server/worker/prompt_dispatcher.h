// Whose prompt runs next on each ComfyUI endpoint: the waiting prompts of this process, put before
// the admission controller at each sample of a card and whenever one arrives. Prompts wait here, on
// the threads of their engine's pool, and not in ComfyUI's queue.
//
// An endpoint whose card is not known (it computes on the CPU, or on another machine) is given to
// whoever asks: nothing of ours shares its memory.
//
// Thread rule: any thread. wait_turn() blocks until the prompt may run; the rest for the ledger's
// round trips.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engines/prompt_admission.h"
#include "server/jobs/admission/controller.h"
#include "server/jobs/admission/profile_store.h"
#include "server/jobs/ports.h"
#include "server/worker/fleet_queue.h"
#include "server/worker/promise_keeper.h"

namespace pytoon::worker {

class PromptDispatcher final : public engines::PromptAdmission {
 public:
  struct Parts {
    jobs::admission::PromiseLedger& ledger;
    jobs::admission::ProfileStore& profiles;
    jobs::admission::GenerationQueue& generations;
    PromiseKeeper& promises;
    jobs::JobMetrics& metrics;
    Clock& clock;
    Log& log;
    // Asks the endpoint of that origin to unload its models.
    std::function<Status(const std::string& endpoint, const engines::Watch& watch)> free_models;
  };

  // card_patience: how long a prompt waits for cards that nobody measures any more.
  PromptDispatcher(Parts parts, jobs::admission::ControllerOptions options,
                   std::chrono::milliseconds card_patience)
      : parts_(std::move(parts)),
        options_(options),
        card_patience_(card_patience),
        fleet_(parts_.ledger, parts_.generations, parts_.clock) {}

  // A workflow that some process of ours may run: what lies in a card's memory can then be told
  // also while it is another process whose prompt runs there.
  void know(const engines::WorkflowPrior& prior);
  // Which card an endpoint computes on; "" is none of ours. Until one of both is said of an
  // endpoint its prompts wait, for some seconds.
  void set_card(const std::string& endpoint, const std::string& gpu);
  // A newer sample of the card was published.
  void sampled(const jobs::admission::GpuState& state);
  // The cards of which no sample of ours is young enough are judged by what the ledger knows, and
  // left by whoever has waited for them in vain.
  void look();
  // Whether this sample, begun at that time, shows what a POST /free brought: asked by the sampler
  // before it publishes, then told.
  bool measures_room(const std::string& gpu, WallTime at, jobs::admission::Bytes bytes) const;
  void room_measured(const std::string& gpu);
  // Of a model that a workflow of ours loads; 0 when none does.
  jobs::admission::Bytes weights_of(const std::string& model) const;

  Result<std::unique_ptr<engines::PromptTurn>> wait_turn(const engines::PromptWish& wish,
                                                         const engines::Watch& watch) override;

 private:
  class Turn;
  struct Waiting {
    const engines::PromptWish& wish;
    jobs::admission::Profile known;  // by what was learned, else by its file
    jobs::admission::Request request;
    std::set<std::string> gpus = {};  // where it could run
    enum class State { kWaits, kRuns, kMakesRoom, kLeaves } state = State::kWaits;
    jobs::admission::Decision decision = {};  // the last
    bool noted = false;                       // it is one
    jobs::admission::Promise promise = {};    // of kRuns
  };
  // POST /free on a card: asked by us and not measured yet.
  struct Room {
    jobs::admission::Bytes before = 0;  // that the endpoint took
    std::optional<WallTime> replied_at;
  };
  using Place = std::list<Waiting>::iterator;

  static jobs::admission::Profile prior_of(const engines::PromptWish& wish);
  static jobs::admission::Request request_of(const engines::PromptWish& wish);
  void learn(const jobs::admission::Profile& prior, const jobs::admission::Promise& promise,
             jobs::admission::Shape shape, engines::PromptEnd end);
  // With the lock held, as all that follow.
  std::vector<Waiting*> heads_for(const std::string& gpu);
  void decide(const std::string& gpu);
  void leave_silent_cards(WallTime now);
  Status wait_for_cards(const engines::PromptWish& wish, std::unique_lock<std::mutex>& lock,
                        const engines::Watch& watch);
  void tell_those_behind(const std::string& gpu, const std::vector<Waiting*>& heads,
                         const jobs::admission::Decision& facts);
  bool carry_out(const std::string& gpu, Waiting& head, const jobs::admission::Decision& decision);
  bool start(const std::string& gpu, Waiting& head, const jobs::admission::Decision& decision);
  static jobs::admission::QueuedGeneration queued(const Waiting& one);
  bool should_leave(Waiting& waiting);
  void note(Waiting& waiting, const jobs::admission::Decision& decision);
  std::string endpoint_on(const std::string& gpu, const engines::PromptWish& wish) const;
  Status wait_at(Waiting& waiting, std::unique_lock<std::mutex>& lock, const engines::Watch& watch);
  void make_room(Waiting& waiting, std::unique_lock<std::mutex>& lock, const engines::Watch& watch);

  const Parts parts_;
  const jobs::admission::ControllerOptions options_;
  const std::chrono::milliseconds card_patience_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable decided_;
  std::map<std::string, std::string> cards_;  // by endpoint; "" is none of ours
  std::map<std::string, jobs::admission::GpuState> states_;
  std::map<std::string, jobs::admission::Bytes> weights_;  // by model
  // Worked with so far, by card and epoch.
  std::map<std::string, std::map<std::int64_t, jobs::admission::Bytes>> peaks_;
  std::map<std::string, Room> rooms_;  // by card
  std::list<Waiting> waiting_;         // oldest first
  FleetQueue fleet_;
};

}  // namespace pytoon::worker
