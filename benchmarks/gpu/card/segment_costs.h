// What was predicted for segments (pipeline/render/segment_cost.h) against what the device's
// account and the driver measured while they were rendered, for each preset of the catalogue.
//
// Thread rule: one thread. Blocks for some seconds. Nobody else may use the card meanwhile.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "benchmarks/gpu/card/card_watch.h"
#include "server/app/render_stack.h"

namespace pytoon::bench {

struct SegmentFigures {
  std::string preset;
  bool of_clip = false;  // else of pictures
  int compositors = 1;   // at once
  std::uint64_t pool_told = 0;
  std::uint64_t pool_taken = 0;  // by the device's account, at its peak
  std::uint64_t vram_told = 0;   // without the context
  std::uint64_t vram_taken = 0;  // that the card had less, at most
};

// Why these figures can't be trusted for promises; "" when they can. A pool that was told too low
// is a promise that breaks; one that is told a tenth too high, by a renderer with one compositor,
// is a card half used.
std::string fault_of(const SegmentFigures& figures);

// A picture for each job, and a folder for what is rendered.
Result<std::vector<SegmentFigures>> measure_segments(const app::Config& config,
                                                     app::RenderStack& stack, OwnCard& card,
                                                     const std::filesystem::path& picture,
                                                     const std::filesystem::path& folder);
nlohmann::ordered_json json_of(const SegmentFigures& figures);

}  // namespace pytoon::bench
