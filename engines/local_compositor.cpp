#include "engines/local_compositor.h"

namespace pytoon::engines {

Capabilities LocalCompositor::capabilities() const {
  return {.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                         spec::Archetype::kMemeText}};
}

// It runs in this process: when we can ask, it is there.
Status LocalCompositor::health(const Watch& /*watch*/) { return ok_status(); }

Result<plan::SegmentSource> LocalCompositor::generate(const FootageRequest& /*request*/,
                                                      const Watch& /*watch*/) {
  return plan::SegmentSource(plan::SourceKind::kImages);
}

}  // namespace pytoon::engines
