#include "server/app/studio.h"

#include "gpu/cpu/cpu_device.h"

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
  Result<std::unique_ptr<media::FontLibrary>> fonts = media::FontLibrary::open(options);
  if (!fonts) return fonts.failure();
  studio.fonts = std::move(*fonts);

  studio.device = gpu::make_cpu_device();
  studio.renderer =
      std::make_unique<render::SceneRenderer>(*studio.device, *studio.fonts, config.encoder);
  return studio;
}

}  // namespace pytoon::app
