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
#include "server/worker/promise_keeper.h"

namespace pytoon::worker {

class PromptDispatcher final : public engines::PromptAdmission {
 public:
  struct Parts {
    jobs::admission::PromiseLedger& ledger;
    jobs::admission::ProfileStore& profiles;
    PromiseKeeper& promises;
    jobs::JobMetrics& metrics;
    Clock& clock;
    Log& log;
    // Asks the endpoint of that origin to unload its models.
    std::function<Status(const std::string& endpoint, const engines::Watch& watch)> free_models;
  };

  PromptDispatcher(Parts parts, jobs::admission::ControllerOptions options)
      : parts_(std::move(parts)), options_(options) {}

  // Which card an endpoint computes on; "" is none that we know.
  void set_card(const std::string& endpoint, const std::string& gpu);
  // A newer sample of the card was published.
  void sampled(const jobs::admission::GpuState& state);
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
    jobs::admission::Profile prior;
    jobs::admission::Profile known;  // by what was learned
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
  bool carry_out(const std::string& gpu, Waiting& head, const jobs::admission::Decision& decision);
  bool start(const std::string& gpu, Waiting& head, const jobs::admission::Decision& decision);
  bool should_leave(Waiting& waiting);
  void note(Waiting& waiting, const jobs::admission::Decision& decision);
  std::string endpoint_on(const std::string& gpu, const engines::PromptWish& wish) const;
  Status wait_at(Waiting& waiting, std::unique_lock<std::mutex>& lock, const engines::Watch& watch);
  void make_room(Waiting& waiting, std::unique_lock<std::mutex>& lock, const engines::Watch& watch);

  const Parts parts_;
  const jobs::admission::ControllerOptions options_;

  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable decided_;
  std::map<std::string, std::string> cards_;  // by endpoint
  std::map<std::string, jobs::admission::GpuState> states_;
  std::map<std::string, jobs::admission::Bytes> weights_;  // by model
  std::map<std::int64_t, jobs::admission::Bytes> peaks_;   // worked with so far, by epoch
  std::map<std::string, Room> rooms_;                      // by card
  std::list<Waiting> waiting_;                             // oldest first
};

}  // namespace pytoon::worker
