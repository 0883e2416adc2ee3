#include "engines/template_engine.h"

namespace pytoon::engines {

Capabilities TemplateEngine::capabilities() const {
  return {.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                         spec::Archetype::kMemeText}};
}

Status TemplateEngine::health(const Watch& /*watch*/) { return ok_status(); }

Result<plan::SegmentSource> TemplateEngine::generate(const FootageRequest& /*request*/,
                                                     const Watch& /*watch*/) {
  return plan::SegmentSource(plan::SourceKind::kCard);
}

}  // namespace pytoon::engines
