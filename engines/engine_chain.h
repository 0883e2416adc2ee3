// Which engine serves a segment: the preset's chain, filtered by the job's policy, tried one after
// the other until one supplies. Below every chain lie the compositor's own drawing, unless the
// policy is api_only, and the template, which always supplies.
//
//   local_only       the chain's local engines
//   local_preferred  the chain's local engines, then its remote ones
//   api_only         the chain's remote engines
//
// A name in a chain that is not configured here is skipped without a word: it is no failure that
// nobody set it up. A fallback is when a configured engine of the filtered chain did not generate,
// or when the filtered chain is empty so that only the engines beneath it are left.
//
// The watch's deadline is that of the whole job: each engine gets what is left of it, at most its
// own limit, and when next to nothing is left only what needs no waiting is asked. Such a
// fallback's reason says "deadline".
//
// An engine that fails again and again is left alone for a while (circuit_breaker.h). What is the
// job's own doing (Blame::kInput: a cancel, what an engine can't or mustn't do) says nothing about
// its health and isn't counted, nor is a card that is full.
//
// An engine that waits for its turn on a shared GPU (prompt_admission.h) is given its own limit
// from when it begins; only the job's deadline ends the wait.
//
// An engine that makes clips elsewhere is asked only by who holds one of its slots, so a call goes
// along the chain as far as it may and says at which engine to go on. What needs no waiting (what
// an engine can't do at all, the compositor, the template) needs no slot.
//
// Thread rule: any thread. Blocks as long as the one engine whose slot is held.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engines/circuit_breaker.h"
#include "engines/engine.h"
#include "engines/template_engine.h"
#include "pipeline/spec/preset.h"

namespace pytoon::engines {

struct EngineChainOptions {
  std::chrono::milliseconds health{5000};
  std::chrono::milliseconds generate{300'000};
  // With less than this left of the job's time nothing is begun that has to be waited for: it would
  // be paid for and thrown away.
  std::chrono::milliseconds least{10'000};
  BreakerOptions breaker;
};

struct ChainResult {
  plan::SegmentSource footage;  // a clip lies where the request wanted it
  std::string engine;
  bool fallback = false;
  std::string reason;  // of the fallback, for people
};

// Where a segment stands in its chain.
struct ChainPosition {
  std::string engine;    // to be asked next, by who holds a slot of it; "" is the first
  std::string failures;  // why those before it did not generate, for people; "" when none was asked
};

// An engine that a segment may be made by, as far as can be told without asking it.
struct Candidate {
  std::string engine;
  bool remote = false;
  bool makes_clips = false;  // else the renderer draws
  // Why it will not make this segment; a fault of it points at the field of the request that could
  // change that.
  std::optional<Failure> refused;
  Quote quote;  // of what makes clips and is not refused
};

// Footage, or where to go on.
using ChainStep = std::variant<ChainResult, ChainPosition>;

class EngineChain {
 public:
  // The engines that are configured, without the template. Names are unique.
  EngineChain(std::vector<std::unique_ptr<Engine>> engines, const Clock& clock,
              EngineChainOptions options = {});

  // slot: the engine of which the caller holds a slot; "" is none, then the call does not wait.
  // An engine at `from` that this chain does not know (nobody has it any more) counts as failed.
  // kCancelled is the only failure. A watch whose deadline is past gets what needs no waiting.
  Result<ChainStep> step(const std::vector<std::string>& chain, spec::EnginePolicy policy,
                         const FootageRequest& request, const Watch& watch,
                         const ChainPosition& from, std::string_view slot);

  // The engines that the segment may be made by, in the order in which they would be asked, down to
  // those beneath every chain, and why one of them will not make it. Nobody is asked; blocks on
  // nothing.
  std::vector<Candidate> candidates_for(const std::vector<std::string>& chain,
                                        spec::EnginePolicy policy, const FootageRequest& request);

  // Slots by name of each engine that has to be waited for.
  std::vector<std::pair<std::string, int>> slots() const;
  // The longest that an engine is given for one segment once it has its turn, its health check
  // included.
  std::chrono::milliseconds call_limit() const { return options_.health + options_.generate; }

  // For doctor and capacity reports.
  const std::vector<std::unique_ptr<Engine>>& engines() const { return engines_; }
  CircuitBreaker::State breaker_state(const std::string& engine) const;

 private:
  Engine* find(const std::string& name);
  std::vector<Engine*> candidates(const std::vector<std::string>& chain, spec::EnginePolicy policy);
  // The candidates, and beneath them what lies beneath every chain.
  std::vector<Engine*> steps_for(std::vector<Engine*> candidates, spec::EnginePolicy policy);
  bool too_late_for(const Engine& engine, const Watch& watch) const;
  Status may_ask(const Engine& engine, const FootageRequest& request, const Watch& watch) const;
  Result<plan::SegmentSource> ask(Engine& engine, const FootageRequest& request,
                                  const Watch& watch);
  Result<plan::SegmentSource> ask_within(Engine& engine, const FootageRequest& request,
                                         const Watch& watch);

  const std::vector<std::unique_ptr<Engine>> engines_;
  const Clock& clock_;
  const EngineChainOptions options_;
  std::map<std::string, CircuitBreaker, std::less<>> breakers_;  // fixed after construction
  TemplateEngine last_;
};

// The chain of the spec's preset; the usual one when the preset is gone meanwhile.
std::vector<std::string> chain_of(const spec::RenderSpec& spec, const spec::PresetTable& presets);

}  // namespace pytoon::engines
