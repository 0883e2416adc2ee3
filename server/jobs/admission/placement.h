// Placement over a whole fleet of GPUs: which card would take a generation now. A structure of
// arrays, one column a fact, scanned in one pass: 1,000 cards take a few microseconds, so there is
// no index to keep. It answers the API ("when, where") and wakes the one card that suits a new task
// best; the card's own decision (controller.h) under the ledger's lock is what counts.
//
// Sizes are MiB inside, rounded against the task. Order of choice: a card that can run now before
// one that must make room, one that has the model before others, the smallest card, the fewest
// segments on it; ties by UUID, so that the order of rows decides nothing.
//
// Thread rule: none of its own; one owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/jobs/admission/controller.h"

namespace pytoon::jobs::admission {

struct Placement {
  std::size_t gpu = 0;         // index of its row
  bool makes_room = false;     // POST /free first; the shape is chosen when its effect is known
  Shape shape = Shape::kFull;  // of one that can run now
};

class PlacementTable {
 public:
  // A new card, known by its index from then on. UUIDs must be unique.
  std::size_t add(const std::string& uuid);
  // The card's newest state. Call it after each change of its ledger row.
  void update(std::size_t gpu, const GpuState& state, const ControllerOptions& options,
              WallTime now);
  // The card stopped being of use: not sampled, down.
  void disable(std::size_t gpu) { idle_[gpu] = 0; }

  std::optional<Placement> place(const Demand& demand, const ControllerOptions& options) const;

  std::size_t size() const { return uuids_.size(); }
  const std::string& uuid(std::size_t gpu) const { return uuids_[gpu]; }

 private:
  // Models beyond the 64th have no bit: their cards look as if they had to load.
  std::uint64_t bit_of(const std::string& model) const;
  std::uint64_t intern(const std::string& model);

  std::vector<std::string> uuids_;
  std::vector<std::uint32_t> rank_;  // place of the UUID in the order of all
  std::vector<std::int32_t> available_mib_;
  std::vector<std::int32_t> usable_mib_;
  std::vector<std::int32_t> yieldable_mib_;
  std::vector<std::int32_t> fill_mib_;
  std::vector<std::uint64_t> models_;  // bits of models that lie there whole
  std::vector<std::uint8_t> idle_;     // endpoint up, no prompt, nothing draining or being freed
  std::vector<std::uint8_t> dynamic_;
  std::vector<std::uint8_t> segments_;  // live ones
  std::map<std::string, std::uint64_t> bits_;
};

}  // namespace pytoon::jobs::admission
