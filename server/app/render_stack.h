// Everything that makes images, started once per process in the right order: media libraries,
// fonts, device, encoders, renderer. Owned by the command that runs; the rest borrows.
#pragma once

#include <memory>

#include "base/log.h"
#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/media.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/compositor_choice.h"
#include "pipeline/render/scene_renderer.h"
#include "server/app/config.h"

namespace pytoon::app {

struct RenderStack {
  std::unique_ptr<media::MediaRuntime> media;
  std::shared_ptr<media::FileDecoder> decoder;
  std::unique_ptr<media::FontLibrary> fonts;
  std::unique_ptr<gpu::Device> device;
  media::EncoderChoice encoders;
  std::unique_ptr<gpu::Device> cpu;  // beside a GPU, for jobs that it has no memory for; else null
  std::unique_ptr<render::SceneRenderer> on_device;
  std::unique_ptr<render::SceneRenderer> on_cpu;  // null with `cpu`
  std::unique_ptr<render::Renderer> choice;       // of the two; null with `cpu`

  render::Renderer& renderer() { return choice ? *choice : *on_device; }
};

// Blocks for some hundred milliseconds. The Failure names what is missing and how to get it.
Result<RenderStack> open_render_stack(const Config& config, Log& log,
                                      std::shared_ptr<media::FileDecoder> decoder);
// Decodes in confined processes of this program, which must be pytoon itself.
std::shared_ptr<media::FileDecoder> confined_decoder(const Config& config);

}  // namespace pytoon::app
