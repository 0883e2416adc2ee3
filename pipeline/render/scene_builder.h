// Makes a Scene: decodes and prepares images, lays out captions, measures what is behind them.
// Only what the wanted frames need is opened (plan/dependencies.h), and what the cache has of it is
// not made again.
//
// Thread rule: any thread. Blocks for some hundred milliseconds an image that is new. Errors:
// kMalformed or kNotFound for an image that can't be read (never for a card, which is then drawn
// without it), kInvalid for captions, kOutOfMemory.
#pragma once

#include <memory>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/image_cache.h"
#include "pipeline/render/renderer.h"
#include "pipeline/render/scene.h"

namespace pytoon::render {

// What scenes are made with; all must outlive them.
struct SceneTools {
  gpu::Device& device;
  const media::FontLibrary& fonts;
  ImageCache& cache;
  media::FileDecoder& decoder;
};

// The file of a shot whose source is kMade.
const plan::InputFile& made_clip(const RenderJob& job, const plan::Shot& shot);

// The captions of the whole job, laid out once for all its segments.
Result<std::shared_ptr<const CaptionLayout>> captions_of(const RenderJob& job,
                                                         const SceneTools& tools);

// frames: of the whole video; one segment's, as a rule.
Result<std::shared_ptr<const Scene>> build_scene(const RenderJob& job,
                                                 const plan::FrameSpan& frames,
                                                 const SceneTools& tools);

}  // namespace pytoon::render
