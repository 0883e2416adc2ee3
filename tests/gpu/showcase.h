// Full-size scenes of the kinds that films are made of: 1080 x 1920, moving backgrounds larger than
// the frame, fixed products, captions, logos and shadows with alpha, a fade and a crossfade.
#pragma once

#include <string>
#include <vector>

#include "tests/gpu/scene.h"

namespace pytoon::gpu {

struct NamedScene {
  std::string name;
  Scene scene;
};

std::vector<NamedScene> showcase_scenes();

}  // namespace pytoon::gpu
