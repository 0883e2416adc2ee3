#include "engines/local_compositor.h"

namespace pytoon::engines {

Capabilities LocalCompositor::capabilities() const {
  return {.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                         spec::Archetype::kMemeText}};
}

// It runs in this process: when we can ask, it is there.
Status LocalCompositor::health(const Watch& /*watch*/) { return ok_status(); }

Result<GeneratedFootage> LocalCompositor::generate(const FootageRequest& /*request*/,
                                                   const Watch& /*watch*/) {
  return GeneratedFootage{render::Footage::kImages, std::nullopt, 0};
}

}  // namespace pytoon::engines
