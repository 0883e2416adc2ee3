// Jobs at once in one process, as `pytoon serve` runs them, round after round until the time is up,
// while the card is watched. Each round has a store of its own, so that nothing is taken from the
// one before.
//
// Thread rule: one thread. Blocks until the last round has ended.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "benchmarks/gpu/card/card_watch.h"
#include "server/app/config.h"
#include "server/app/render_stack.h"

namespace pytoon::bench {

struct JobOutcome {
  std::string request;  // its file's name
  std::string device;   // that composed it
  std::string sha256;   // of its video
  std::string reason;   // why it is not on the card
};

struct RoundsReport {
  int rounds = 0;
  std::vector<JobOutcome> jobs;
  std::vector<std::string> failed;  // jobs that did not end well, and why
  LookCounts looks;
  int ledger_violations_ours = 0;  // as the product's own metric counts them
  int ledger_violations_foreign = 0;
};
nlohmann::ordered_json json_of(const RoundsReport& report);

struct Studio {
  const app::Config& config;
  app::RenderStack& stack;
  Clock& clock;
  Log& log;
};

// card: null where there is none: then nothing is watched.
Result<RoundsReport> run_rounds(const Studio& studio, OwnCard* card, std::chrono::seconds duration,
                                const std::vector<std::filesystem::path>& requests,
                                const std::filesystem::path& folder);

}  // namespace pytoon::bench
