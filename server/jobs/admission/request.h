// What is put before the admission controller: a waiting task with its cost, where it may be done,
// and what its waiting is worth.
//
// Thread rule: plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/jobs/admission/profile.h"

namespace pytoon::jobs::admission {

// What a segment takes of a card, by kind. Exact for what our own pool takes (pipeline/plan/cost).
struct Cost {
  Bytes textures = 0;
  Bytes frames_in_flight = 0;
  Bytes encoder_session = 0;
  Bytes decoder_surfaces = 0;
  Bytes context = 0;  // when the process has none on this card yet
  int encoder_sessions = 0;
  int pieces = 1;  // encoded at once, each by a thread of the worker
  std::chrono::milliseconds duration{0};

  Bytes total() const {
    return textures + frames_in_flight + encoder_session + decoder_surfaces + context;
  }
};

// How many segments like this one a worker can use at once: those whose pieces keep all of its
// threads busy, and one that is ready when the first of them ends; never more than threads, since
// each is waited for by one. A card's own encoder needs no threads, and it has three engines at
// most: a fourth segment hides their start.
int segments_at_once(int threads, const Cost& cost);

// Where the job's owner lets footage be made.
enum class EnginePolicy { kLocalOnly, kLocalPreferred, kApiOnly };

// A remote engine that would do the task.
struct ApiOffer {
  std::int64_t micro_usd = 0;
  std::chrono::milliseconds latency{0};  // usual time to the result
};

struct Request {
  std::string task;
  Lane lane = Lane::kRender;  // kRender or kGenerate
  WallTime waiting_since;
  int priority = 0;  // each level is worth a minute of age
  std::optional<WallTime> deadline;
  EnginePolicy policy = EnginePolicy::kLocalOnly;
  std::optional<ApiOffer> offer;  // of kGenerate, none: nobody offers or no money is left
  Cost cost;                      // of kRender, as the next two
  std::string worker_id;          // who would draw it
  int segments_max = 1;           // as of a Wish
  Demand demand;                  // of kGenerate
  std::string reserved_on;        // UUID of the card that is kept for this task, "" for none
};

// The sizes of cards that there are: what each can give to one task alone, smallest first, each
// size once. usable_bytes() of a sample makes one.
struct CardSizes {
  std::vector<Bytes> usable;

  void add(Bytes size);
  Bytes largest() const { return usable.empty() ? 0 : usable.back(); }
  // The largest that is smaller than `bytes`; 0 when there is none.
  Bytes below(Bytes bytes) const;
};

// total - contexts: what a card can give.
Bytes usable_bytes(const Sample& sample);

// Work that waits for cards like those that a task needs: what decides whether waiting pays.
struct CardQueue {
  int cards = 0;                        // that could ever do the task
  std::chrono::milliseconds queued{0};  // run time of what waits for them already
  int behind = 0;                       // tasks that wait for them behind this one
};

}  // namespace pytoon::jobs::admission
