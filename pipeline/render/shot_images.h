// The images of shots, prepared for the device: covered, blurred, cut out, shadowed.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "pipeline/render/prepared_images.h"
#include "pipeline/render/renderer.h"
#include "pipeline/render/scene.h"

namespace pytoon::render {

// Those of the shots in `range`, in their order, made up to `at_once` at a time, as the thread rule
// of `images` allows. product: the rectangle a product or a card's image may fill. Files of other
// shots are neither opened nor asked for.
Result<std::vector<ShotImage>> make_shot_images(const RenderJob& job,
                                                const plan::Timeline& timeline,
                                                const plan::ShotRange& range, gpu::Rect product,
                                                SceneImages& images, int at_once);

// The brand's logo, laid out; nullopt when the job has none or it can't be read.
Result<std::optional<gpu::Layer>> make_logo(const RenderJob& job, SceneImages& images);

}  // namespace pytoon::render
