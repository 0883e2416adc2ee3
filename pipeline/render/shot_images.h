// The images of a job's shots, prepared for the device: covered, blurred, cut out, shadowed.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/render/renderer.h"
#include "pipeline/render/scene.h"

namespace pytoon::render {

// One a shot of the timeline. product: the rectangle a product or a card's image may fill.
Result<std::vector<ShotImage>> make_shot_images(const RenderJob& job,
                                                const plan::Timeline& timeline, gpu::Rect product,
                                                gpu::Device& device);

// The brand's logo, laid out; nullopt when the job has none or it can't be read.
Result<std::optional<gpu::Layer>> make_logo(const RenderJob& job, gpu::Device& device);

}  // namespace pytoon::render
