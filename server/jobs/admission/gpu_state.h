// The state of one GPU as admission control sees it: one sample of its memory, the promises (memory
// reservations) given on it, and what its inference endpoint is about to do. A MIG instance is a
// GPU.
//
// Units: memory in bytes. Times are the ledger's (promise_ledger.h): a sampler asks the ledger for
// the time *before* it reads the driver, so that `Sample::at` is never later than the truth.
// Everything measured comes from ONE instant, the sample's: the free memory of one instant and the
// held memory of another in one sum promise the same bytes twice.
//
// Thread rule: plain values, owned by whoever has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pytoon::jobs::admission {

using Bytes = std::int64_t;
inline constexpr Bytes kMiB = Bytes{1} << 20;
inline constexpr Bytes kGiB = Bytes{1} << 30;

// Where a task is done. Slots of a lane come from configuration; memory decides inside a lane.
enum class Lane {
  kRender,    // the GPU compositor
  kGenerate,  // a ComfyUI endpoint on the card, one prompt at a time
  kCpu,       // the CPU compositor
  kApi,       // a remote engine
  kAudio
};
std::string_view name_of(Lane lane);
std::optional<Lane> lane_from_name(std::string_view name);

// A model whose weights lie in the card's memory.
struct ResidentModel {
  std::string model;
  Bytes bytes = 0;
  bool operator==(const ResidentModel&) const = default;
};

// What the ComfyUI endpoint of the card was at the sample's instant. Written by the sampler.
struct EndpointSample {
  enum class State { kAbsent, kDown, kIdle, kBusy };
  State state = State::kAbsent;
  bool dynamic_vram = false;          // a build that pages weights by itself
  bool restartable = false;           // its process is ours to restart
  std::int64_t running = 0;           // epoch of the promise whose prompt runs, 0 for none of ours
  Bytes working = 0;                  // what that prompt has taken besides weights
  Bytes fill = 0;                     // dynamic builds: pages beyond `models`, given up at need
  Bytes residue = 0;                  // what an unload does not give back: leaks, custom nodes
  std::vector<ResidentModel> models;  // what POST /free gives back
  bool operator==(const EndpointSample&) const = default;
};

// What the process that holds a render promise has taken of it, by its own account.
struct HeldMemory {
  std::int64_t epoch = 0;
  Bytes bytes = 0;
  bool operator==(const HeldMemory&) const = default;
};

struct Sample {
  WallTime at;
  std::string name;  // of the card's model, for people
  Bytes total = 0;
  Bytes free = 0;                 // by the driver: all processes counted
  Bytes contexts = 0;             // of `total`, what contexts take for ever: no promise can have it
  Bytes foreign = 0;              // taken by programs that are neither ours nor our ComfyUI
  int encoder_sessions = -1;      // open now, by all programs; -1: the driver does not tell
  int encoder_sessions_max = -1;  // -1: the card sets no limit
  int encoder_sessions_foreign = 0;  // of those open, what is not promised by us
  std::vector<HeldMemory> held;      // of the publisher's promises; the ledger adds the others'
  EndpointSample endpoint;
  bool operator==(const Sample&) const = default;
};

// Memory set aside for one task before it is used: a lease, fenced by its epoch, that runs out when
// it is not renewed. Written by the ledger only.
struct Promise {
  std::int64_t epoch = 0;  // unique and growing over all promises of a ledger
  std::string gpu;         // UUID of the card
  std::string worker_id;   // of the process that it was given to, unique for each of its starts
  std::string task;
  Lane lane = Lane::kRender;
  Bytes bytes = 0;
  std::string model;         // of kGenerate: its resident weights are held memory of the promise
  int encoder_sessions = 0;  // of kRender
  WallTime given_at;
  WallTime ends_at;     // predicted end of the task: a hint for reservations, never a limit
  WallTime expires_at;  // of the lease
  std::optional<WallTime> released_at;
  bool operator==(const Promise&) const = default;
};

// EASY backfilling: an endpoint kept for a big task while smaller ones may only fill the time until
// memory is there. At most one a GPU and one a task.
struct Reservation {
  std::string task;
  Bytes bytes = 0;  // the whole peak that the task will ask for
  WallTime expires_at;
  bool operator==(const Reservation&) const = default;
};

// A POST /free, or a restart of the endpoint, whose effect is being measured.
struct RoomMaking {
  std::string task;  // for which it is done
  WallTime asked_at;
  bool finished = false;  // a sample after the reply showed the bytes, or the time was up
  bool operator==(const RoomMaking&) const = default;
};

struct GpuState {
  std::string uuid;
  Sample sample;                           // the newest one
  std::vector<Promise> promises;           // live ones, and ended ones that a sample must confirm
  std::optional<Reservation> reservation;  // may have run out
  std::optional<RoomMaking> room;          // the last one
  Bytes foreign_at_last_promise = 0;       // of the sample that the newest promise was judged by
  bool operator==(const GpuState&) const = default;
};

}  // namespace pytoon::jobs::admission
