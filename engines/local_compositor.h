// The engine that needs nothing but the job's images: the renderer itself moves over them.
#pragma once

#include "engines/engine.h"

namespace pytoon::engines {

inline constexpr std::string_view kLocalCompositor = "local_compositor";

class LocalCompositor final : public Engine {
 public:
  std::string_view name() const override { return kLocalCompositor; }
  bool remote() const override { return false; }
  Capabilities capabilities() const override;
  Status health(const Watch& watch) override;
  Result<plan::SegmentSource> generate(const FootageRequest& request, const Watch& watch) override;
};

}  // namespace pytoon::engines
