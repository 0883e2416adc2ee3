// Makes a Scene: decodes and prepares images, lays out captions, measures what is behind them.
// This is the slow part of a job's image; it happens once a job, not once a segment.
//
// Blocks for some hundred milliseconds an image. Errors: kMalformed or kNotFound for an image that
// can't be read (never for a card, which is then drawn without it), kInvalid for captions.
#pragma once

#include <memory>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/renderer.h"
#include "pipeline/render/scene.h"

namespace pytoon::render {

plan::Timeline timeline_of(const RenderJob& job);
// The file of a shot whose source is kMade.
const InputFile& made_clip(const RenderJob& job, const plan::Shot& shot);

Result<std::shared_ptr<const Scene>> build_scene(const RenderJob& job, gpu::Device& device,
                                                 const media::FontLibrary& fonts);

}  // namespace pytoon::render
