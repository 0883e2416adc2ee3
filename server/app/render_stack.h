// Everything that makes images, started once per process in the right order: media libraries,
// fonts, device, encoders, renderer. Owned by the command that runs; the rest borrows.
#pragma once

#include <memory>

#include "base/log.h"
#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/media.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/scene_renderer.h"
#include "server/app/config.h"

namespace pytoon::app {

struct RenderStack {
  std::unique_ptr<media::MediaRuntime> media;
  std::unique_ptr<media::FontLibrary> fonts;
  std::unique_ptr<gpu::Device> device;
  media::EncoderChoice encoders;
  std::unique_ptr<render::SceneRenderer> renderer;
};

// Blocks for some hundred milliseconds. The Failure names what is missing and how to get it.
Result<RenderStack> open_studio(const Config& config, Log& log);

}  // namespace pytoon::app
