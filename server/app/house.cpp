#include "server/app/house.h"

#include "engines/local_compositor.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/sound/sound_file.h"

namespace pytoon::app {
namespace {

std::vector<std::unique_ptr<engines::Engine>> configured_engines() {
  std::vector<std::unique_ptr<engines::Engine>> engines;
  engines.push_back(std::make_unique<engines::LocalCompositor>());
  return engines;
}

}  // namespace

Result<jobs::PictureFacts> ImageInspector::inspect(const std::filesystem::path& file) {
  Result<media::ImageFacts> facts = media::inspect_image(file);
  if (!facts) return facts.failure();
  return jobs::PictureFacts{facts->format, facts->size.width, facts->size.height, facts->has_alpha};
}

Result<jobs::AudioFacts> ImageInspector::inspect_audio(const std::filesystem::path& file) {
  Result<media::SoundFacts> facts = media::inspect_sound(file);
  if (!facts) return facts.failure();
  return jobs::AudioFacts{facts->format, facts->duration_seconds, facts->channels,
                          facts->sample_rate};
}

worker::RunParts House::run_parts(const Config& config, Studio& studio, const Clock& clock,
                                  Log& log) {
  return {*store_, *storage_, *studio.renderer, ladder_, config.catalogue.presets, metrics_,
          clock,   log};
}

worker::PoolOptions House::pool_options(const Config& config, IdSource& ids) {
  worker::PoolOptions options;
  options.threads = config.worker_concurrency;
  options.holder = ids.next();
  options.run.last_logo = "assets/brand_logo.png";
  return options;
}

House::House(const Config& config, Studio& studio, std::unique_ptr<jobs::JobStore> store,
             std::unique_ptr<io::FileStorage> storage, const Clock& clock, Log& log)
    : store_(std::move(store)),
      storage_(std::move(storage)),
      metrics_(*store_),
      health_(*store_, *storage_),
      ladder_(configured_engines()),
      workers_(run_parts(config, studio, clock, log), pool_options(config, ids_)),
      service_({*store_, *storage_, inspector_, *studio.renderer, config.catalogue, workers_,
                metrics_, health_, ids_, log},
               {config.max_queued_jobs}) {}

}  // namespace pytoon::app
