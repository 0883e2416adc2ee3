// The last rung: a plain branded card, so that a job always ends in a usable video.
#pragma once

#include "engines/engine.h"

namespace pytoon::engines {

inline constexpr std::string_view kTemplate = "template";

class TemplateEngine final : public Engine {
 public:
  std::string_view name() const override { return kTemplate; }
  bool remote() const override { return false; }
  bool can_draw(spec::Archetype archetype) const override;
  Status health() override;
  Result<render::Footage> supply(const spec::RenderSpec& spec, int segment) override;
};

}  // namespace pytoon::engines
