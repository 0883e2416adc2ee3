// The engine that needs nothing but the job's images: the renderer itself moves over them.
#pragma once

#include "engines/engine.h"

namespace pytoon::engines {

inline constexpr std::string_view kLocalCompositor = "local_compositor";

class LocalCompositor final : public Engine {
 public:
  std::string_view name() const override { return kLocalCompositor; }
  bool remote() const override { return false; }
  bool can_draw(spec::Archetype archetype) const override;
  Status health() override;
  Result<render::Footage> supply(const spec::RenderSpec& spec, int segment) override;
};

}  // namespace pytoon::engines
