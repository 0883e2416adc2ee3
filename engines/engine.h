// An engine supplies the footage of one segment; the renderer always finishes it. Engines differ in
// where the footage comes from, and only the ladder knows more than one of them.
//
// Thread rule: any thread. health() and supply() may block as long as the engine thinks, within its
// own time limits. Errors: kEngine, kTimeout, kUnavailable, kOutOfMemory.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pipeline/render/renderer.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::engines {

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;  // as presets and metrics call it
  virtual bool remote() const = 0;            // leaves this machine: never under local_only
  virtual bool can_draw(spec::Archetype archetype) const = 0;
  virtual Status health() = 0;
  virtual Result<render::Footage> supply(const spec::RenderSpec& spec, int segment) = 0;
};

}  // namespace pytoon::engines
