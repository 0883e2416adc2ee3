#include "engines/template_engine.h"

namespace pytoon::engines {

bool TemplateEngine::can_draw(spec::Archetype /*archetype*/) const { return true; }

Status TemplateEngine::health() { return ok_status(); }

Result<render::Footage> TemplateEngine::supply(const spec::RenderSpec& /*spec*/, int /*segment*/) {
  return render::Footage::kCard;
}

}  // namespace pytoon::engines
