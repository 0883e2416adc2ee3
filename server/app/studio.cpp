#include "server/app/studio.h"

#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda.h"

namespace pytoon::app {

Result<Studio> open_studio(const Config& config, Log& log) {
  Studio studio;
  Result<std::unique_ptr<media::MediaRuntime>> media =
      media::MediaRuntime::start(config.cache_dir, log);
  if (!media) return media.failure();
  studio.media = std::move(*media);

  media::FontLibrary::Options options;
  options.fonts_yaml = config.config_dir / "fonts.yaml";
  options.cache_dir = config.cache_dir / "fonts";
  options.font_dirs = config.font_dirs;
  Result<std::unique_ptr<media::FontLibrary>> fonts = media::FontLibrary::open(options);
  if (!fonts) return fonts.failure();
  studio.fonts = std::move(*fonts);

  Result<gpu::ChosenDevice> chosen = gpu::choose_device(
      config.device,
      {[] { return gpu::make_cpu_device(); }, [] { return gpu::make_cuda_device({}); }});
  if (!chosen) {
    Failure fault = chosen.failure();
    fault.detail = "PYTOON_DEVICE is cuda, but " + fault.detail + "; auto would take the CPU";
    return fault;
  }
  if (chosen->gpu_failed) {
    log.warning("gpu_not_used", {{"reason", chosen->reason}});
  } else if (!chosen->reason.empty()) {
    log.info("no_gpu", {{"reason", chosen->reason}});
  }
  studio.device = std::move(chosen->device);
  studio.renderer =
      std::make_unique<render::SceneRenderer>(*studio.device, *studio.fonts, config.encoder);
  return studio;
}

}  // namespace pytoon::app
