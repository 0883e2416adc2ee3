// The last engine: a plain branded card, so that a job always ends in a usable video.
#pragma once

#include "engines/engine.h"

namespace pytoon::engines {

inline constexpr std::string_view kTemplate = "template";

class TemplateEngine final : public Engine {
 public:
  std::string_view name() const override { return kTemplate; }
  bool remote() const override { return false; }
  Capabilities capabilities() const override;
  Status health(const Watch& watch) override;
  Result<plan::SegmentSource> generate(const FootageRequest& request, const Watch& watch) override;
};

}  // namespace pytoon::engines
