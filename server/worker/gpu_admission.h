// Admission control of a worker's process at run time: samples the cards of the node four times a
// second and publishes them to the promise ledger, keeps and renews this process's promises, and
// lets segments and ComfyUI prompts start as the admission controller decides
// (jobs/admission/controller.h).
//
// A sample is one instant: its time is the ledger's, taken before the driver is read; the driver is
// read before and after the endpoints, and the lower free memory counts, so that what ComfyUI takes
// or gives back meanwhile is never promised twice.
//
// Thread rule: start() and stop() from one thread, tick() by one at a time, the rest from any.
// Blocking: tick() asks the driver, the endpoints (a second at most) and the ledger.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "engines/comfyui/comfy_server.h"
#include "gpu/telemetry.h"
#include "server/jobs/admission/endpoint_memory.h"
#include "server/worker/prompt_dispatcher.h"

namespace pytoon::worker {

// The right to compose one segment on the card. Destroyed, its memory is given back: after the
// segment gave it back.
class RenderTurn {
 public:
  RenderTurn(PromiseKeeper& promises, jobs::admission::Promise promise)
      : promises_(promises), promise_(std::move(promise)) {}
  ~RenderTurn() { promises_.release(promise_); }
  RenderTurn(const RenderTurn&) = delete;
  RenderTurn& operator=(const RenderTurn&) = delete;

 private:
  PromiseKeeper& promises_;
  const jobs::admission::Promise promise_;
};

class GpuAdmission {
 public:
  // The references must outlive the admission.
  struct Parts {
    jobs::admission::PromiseLedger& ledger;
    jobs::admission::ProfileStore& profiles;
    jobs::admission::GenerationQueue& generations;
    jobs::JobMetrics& metrics;
    Clock& clock;
    Log& log;
    std::string worker_id;
    std::unique_ptr<gpu::GpuReader> reader;
    PromiseKeeper::Card card;
    std::vector<engines::ComfyServer*> servers;
  };

  struct Options {
    jobs::admission::ControllerOptions controller;
    int render_threads = 1;        // of this process: how many segments at once are of use to it
    int encoder_sessions_max = 0;  // at once on a card, as the operator says; 0: as the card says
    // How long a segment waits for memory before the CPU composes it. While only the card's slots
    // are taken it waits on: they get free.
    std::chrono::milliseconds render_patience{30'000};
    // How long a prompt waits for a card that nobody measures any more.
    std::chrono::milliseconds card_patience{60'000};
  };

  GpuAdmission(Parts parts, Options options);
  ~GpuAdmission() { stop(); }

  void start();
  void stop();
  // One sample of every card, and what follows from it.
  void tick();

  engines::PromptAdmission& prompts() { return dispatcher_; }
  // A workflow that this or another process may run on the node's endpoints.
  void know(const engines::WorkflowPrior& workflow) { dispatcher_.know(workflow); }
  // What a job finds when it is prepared.
  struct Others {
    int waiting = 0;      // segments of others, each about as long as its own, drawn before it
    int free_cores = 0;   // idle
    int gpu_threads = 0;  // of all live workers that have a card
  };
  // GPU or CPU for the compositor of a job of so many segments: asked once, before its first.
  jobs::admission::Decision choose_compositor(const jobs::admission::Request& asked, int segments,
                                              const Others& others);
  // Blocks until the segment may be composed on our card. kOutOfMemory, "vram_exhausted: ...", when
  // its memory can't be had there, or not in time: the CPU compositor does it then. kCancelled by
  // the token. waiting: told why it waits, now and then. lost: told when the promise is no more.
  Result<std::unique_ptr<RenderTurn>> wait_render(
      const jobs::admission::Request& asked, const CancelToken& cancel,
      const std::function<void(const std::string&)>& waiting, const std::function<void()>& lost);

 private:
  // What an endpoint said, just before the driver was read for the second time.
  struct EndpointState {
    engines::ComfyServer* server = nullptr;
    std::string gpu;  // that it computes on; "" while that is not known
    bool answers = false;
    bool busy = false;
    engines::ComfyServer::Memory memory;
  };

  // As this process can use it.
  jobs::admission::Request ours(const jobs::admission::Request& request) const;
  Result<jobs::admission::Decision> judge(const jobs::admission::Request& request);
  // None: the ledger refused it.
  Result<std::optional<jobs::admission::Promise>> promise_for(
      const jobs::admission::Request& request, const std::function<void()>& lost);
  void run();
  void ask_endpoints();
  void find_cards(const std::vector<gpu::GpuReading>& gpus);
  void publish(const gpu::GpuReading& reading, jobs::admission::Bytes moved, WallTime at);
  void tell(const std::string& gpu, const jobs::admission::Published& published);
  void note_residue(const std::string& gpu, jobs::admission::Bytes residue);
  void expire();

  const Parts parts_;
  const Options options_;
  PromiseKeeper promises_;
  PromptDispatcher dispatcher_;

  std::vector<EndpointState> endpoints_;  // this and what follows: of tick() alone
  std::vector<jobs::admission::GpuUse> uses_;
  SteadyTime renew_at_{};
  std::map<std::string, int> kept_;  // POST /free in a row that left much behind, by card
  std::string fault_;                // of the last tick, told once

  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

// The sample that a reading of a card makes, beside what the ledger knew before. Pure.
struct CardReading {
  gpu::GpuReading driver;                         // with the lower free memory of the two readings
  jobs::admission::Bytes reserved = 0;            // by our own device, 0 when it is on another card
  bool ours = false;                              // our device has a context on it
  int sessions_max = 0;                           // of encoders, by the operator's word; 0: none
  std::uint32_t pid = 0;                          // ours
  std::vector<jobs::admission::HeldMemory> held;  // by our promises
  bool has_endpoint = false;                      // one computes on this card
  std::optional<engines::ComfyServer::Memory> endpoint;  // of it, when it answers
  // By how much the driver's free memory changed between the two readings.
  jobs::admission::Bytes moved = 0;
};
jobs::admission::Sample sample_of(const CardReading& reading,
                                  const jobs::admission::GpuState& before, WallTime at);
// What the endpoint takes of the card, without its context.
jobs::admission::Bytes endpoint_bytes(const CardReading& reading,
                                      const jobs::admission::GpuState& before);

}  // namespace pytoon::worker
