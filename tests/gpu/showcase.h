// Scenes of the kinds that films are made of: moving backgrounds larger than the frame, fixed
// products, captions, logos and shadows with alpha, a fade and a crossfade.
#pragma once

#include <string>
#include <vector>

#include "tests/gpu/scene.h"

namespace pytoon::gpu {

struct NamedScene {
  std::string name;
  Scene scene;
};

// Frames of 1080 x 1920 times scale, and all in them. hero has three layers.
std::vector<NamedScene> showcase_scenes(double scale = 1);

}  // namespace pytoon::gpu
