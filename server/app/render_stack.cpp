#include "server/app/render_stack.h"

#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda.h"
#include "pipeline/media/decoder/child_decoder.h"

namespace pytoon::app {
namespace {

Result<std::unique_ptr<gpu::Device>> open_device(const Config& config, Log& log) {
  Result<gpu::ChosenDevice> chosen = gpu::choose_device(
      config.device,
      {[] { return gpu::make_cpu_device(); }, [] { return gpu::make_cuda_device({}); }});
  if (!chosen) {
    Failure fault = chosen.failure();
    fault.detail = "PYTOON_DEVICE is cuda, but " + fault.detail + "; auto would take the CPU";
    return fault;
  }
  if (chosen->gpu_failed) {
    log.warning("gpu_unavailable", {{"reason", chosen->reason}});
  } else if (!chosen->reason.empty()) {
    log.info("no_gpu", {{"reason", chosen->reason}});
  }
  return std::move(chosen->device);
}

// Missing what a machine of this kind ought to have is worth a warning.
void report(const media::EncoderChoice& encoders, Log& log) {
  for (const media::EncoderOption& option : encoders.options) {
    if (option.unavailable.empty() || !option.expected) continue;
    log.warning("encoder_not_available",
                {{"encoder", option.settings.codec}, {"reason", option.unavailable}});
  }
}

void make_renderers(const Config& config, RenderStack& stack) {
  render::SceneRenderer::Options options;
  options.cache_bytes = config.image_cache_bytes();
  options.pool = std::make_shared<render::PiecePool>(config.worker_concurrency);
  options.gpu_pieces_at_once = config.gpu_pieces_per_segment;
  options.decoder = stack.decoder;
  stack.on_device =
      std::make_unique<render::SceneRenderer>(*stack.device, *stack.fonts, stack.encoders, options);
  if (!stack.device->cuda_handles()) return;
  stack.cpu = gpu::make_cpu_device();
  media::EncoderChoice software;
  software.options = {stack.encoders.options.back()};
  stack.on_cpu =
      std::make_unique<render::SceneRenderer>(*stack.cpu, *stack.fonts, software, options);
  stack.choice = std::make_unique<render::CompositorChoice>(*stack.on_device, *stack.on_cpu);
}

}  // namespace

std::shared_ptr<media::FileDecoder> confined_decoder(const Config& config) {
  media::ChildDecoder::Options options;
  options.processes = config.decoder_processes;
  options.waiting = config.decoders_waiting;
  auto decoder = std::make_shared<media::ChildDecoder>(options);
  // What is in its way now is said of the first file, if it is there then.
  static_cast<void>(decoder->start());
  return decoder;
}

Result<RenderStack> open_render_stack(const Config& config, Log& log,
                                      std::shared_ptr<media::FileDecoder> decoder) {
  RenderStack stack;
  Result<std::unique_ptr<media::MediaRuntime>> media =
      media::MediaRuntime::start(config.cache_dir, log);
  if (!media) return media.failure();
  stack.media = std::move(*media);
  stack.decoder = std::move(decoder);

  media::FontLibrary::Options options;
  options.fonts_yaml = config.config_dir / "fonts.yaml";
  options.cache_dir = config.cache_dir / "fonts";
  options.font_dirs = config.font_dirs;
  Result<std::unique_ptr<media::FontLibrary>> fonts = media::FontLibrary::open(options);
  if (!fonts) return fonts.failure();
  stack.fonts = std::move(*fonts);

  Result<std::unique_ptr<gpu::Device>> device = open_device(config, log);
  if (!device) return device.failure();
  stack.device = std::move(*device);
  Result<media::EncoderChoice> encoders =
      media::choose_encoder(config.encoder, *stack.device, config.cache_dir);
  if (!encoders) {
    return failure(encoders.failure().kind,
                   "config/engine.yaml asks for h264_nvenc: " + encoders.failure().detail +
                       "; with encoder.codec auto x264 does instead");
  }
  stack.encoders = std::move(*encoders);
  report(stack.encoders, log);
  make_renderers(config, stack);
  return stack;
}

}  // namespace pytoon::app
