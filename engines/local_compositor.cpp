#include "engines/local_compositor.h"

namespace pytoon::engines {

bool LocalCompositor::can_draw(spec::Archetype /*archetype*/) const { return true; }

// It runs in this process: when we can ask, it is there.
Status LocalCompositor::health() { return ok_status(); }

Result<render::Footage> LocalCompositor::supply(const spec::RenderSpec& /*spec*/, int /*segment*/) {
  return render::Footage::kImages;
}

}  // namespace pytoon::engines
