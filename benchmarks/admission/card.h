// One simulated GPU: who has which of its memory, truly, and what a sampler would have seen.
//
// The sampler looks every quarter second and stalls now and then. It is simulated lazily: before a
// change the card remembers what the last sample showed.
//
// Units: GiB and seconds; a Sample is in bytes and the ledger's time.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/admission/trace.h"
#include "server/jobs/admission/profile.h"

namespace pytoon::benchmark {

namespace adm = jobs::admission;

inline constexpr double kContextsGib = 1.15;  // ComfyUI 0.6, ours 0.55
inline constexpr double kTiledDecode = .35;   // of the full decode's memory
inline constexpr double kPagedWeights = .6;
inline constexpr int kRenderSlots = 4;
inline constexpr double kSamplePeriod_s = .25;
inline constexpr std::size_t kNoCard = static_cast<std::size_t>(-1);

inline adm::Bytes bytes_of(double gib) {
  return static_cast<adm::Bytes>(std::llround(gib * static_cast<double>(adm::kGiB)));
}

struct Job;

// A generation or a segment, and its life so far.
struct Task {
  enum class State { kFuture, kWaiting, kOnCard, kApi, kCpu, kDone };

  bool generation = false;
  std::size_t id = 0;
  Job* job = nullptr;
  std::size_t model = 0;
  std::size_t workflow = 0;
  double scale = 1;  // hidden: true working set against the model's usual one
  double gib = 0;    // of a segment
  double run_s = 0;
  State state = State::kFuture;
  double ready_s = 0;
  double start_s = -1;  // the first start, -1 before
  double not_before_s = 0;
  int tries = 0;
  int attempt = 0;  // each start makes the events of older ones void
  std::size_t card = kNoCard;
  adm::Shape shape = adm::Shape::kFull;
  adm::Promise promise;  // epoch 0: none
  double held_gib = 0;
  bool fell_back = false;  // ComfyUI tiled the decode by itself
  double slow = 1;
  double ends_s = 0;
  double card_min_gib = 0;  // cards that it broke on are too small (baselines)
};

struct Job {
  const JobSpec* spec = nullptr;
  double ideal_s = 0;
  double deadline_s = 0;
  double done_s = -1;
  std::vector<Task*> generations;
  std::vector<Task*> segments;
  std::size_t generations_left = 0;
  std::size_t segments_left = 0;
  std::size_t owner = kNoCard;  // one job a GPU
};

struct Resident {
  std::size_t model = 0;
  double gib = 0;
};

class Card {
 public:
  Card(std::size_t number, const GpuSpec& spec, const std::vector<Model>& models);

  double usable() const { return total - kContextsGib; }
  double weights() const;
  double free() const {
    return usable() - foreign - segments_gib - weights() - extra - leak - fill;
  }
  double resident(std::size_t model) const;
  void unload(std::size_t model);
  // The weights of a model, now the most recently used one.
  void load(std::size_t model, double gib);
  // ComfyUI's own doing: the least recently used models go until so much is free.
  void evict(std::size_t keep, double wanted_free);

  // To be called before anything below changes.
  void touch(double now_s);
  adm::Sample current(double now_s) const;
  // The newest sample that a sampler has taken; its `at` tells how old it is.
  adm::Sample sampled(double now_s) const;
  double sample_time(double now_s) const;

  const std::size_t index;
  const std::string uuid;
  const double total;
  const bool dynamic;
  double foreign = 0;
  double segments_gib = 0;  // held by segments
  double extra = 0;         // the running prompt's working set
  double leak = 0;
  double fill = 0;               // dynamic builds: pages beyond the models
  std::vector<Resident> cached;  // least recently used first
  std::set<std::size_t> in_ram;  // loaded once: the next load is quicker
  Task* running = nullptr;
  std::vector<Task*> segments;
  double down_until_s = 0;
  bool freeing = false;
  double stall_from_s = 0;
  double stall_to_s = 0;
  int frees = 0;
  bool over_committed = false;
  double foreign_at_start = 0;  // when something last started

 private:
  const std::vector<Model>& models_;
  const double phase_s_;
  adm::Sample snapshot_;
  bool has_snapshot_ = false;
  double changed_s_ = 0;
};

WallTime wall_time(double seconds);

}  // namespace pytoon::benchmark
