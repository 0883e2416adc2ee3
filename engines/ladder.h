// Which engine serves a segment: the preset's chain, filtered by the job's policy, tried rung by
// rung until one supplies. The template is below every chain and always supplies.
//
//   local_only       the chain's local engines
//   local_preferred  the chain's local engines, then its remote ones
//   api_only         the chain's remote engines
//
// A name in a chain that is not configured here is skipped without a word: it is no failure that
// nobody set it up. A fallback is when a configured engine of the filtered chain did not supply, or
// when the filtered chain is empty so that only the template is left.
//
// Thread rule: any thread, when its engines allow it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/template_engine.h"
#include "pipeline/spec/preset.h"

namespace pytoon::engines {

struct Served {
  render::Footage footage = render::Footage::kCard;
  std::string engine;
  bool fallback = false;
  std::string reason;  // of the fallback, for people
};

class Ladder {
 public:
  // The engines that are configured, without the template. Names are unique.
  explicit Ladder(std::vector<std::unique_ptr<Engine>> engines);

  Served serve(const std::vector<std::string>& chain, const spec::RenderSpec& spec, int segment);

 private:
  Engine* find(const std::string& name);
  std::vector<Engine*> rungs(const std::vector<std::string>& chain, spec::EnginePolicy policy);

  const std::vector<std::unique_ptr<Engine>> engines_;
  TemplateEngine last_;
};

// The chain of the spec's preset; the usual one when the preset is gone meanwhile.
std::vector<std::string> chain_of(const spec::RenderSpec& spec, const spec::PresetTable& presets);

}  // namespace pytoon::engines
