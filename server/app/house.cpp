#include "server/app/house.h"

#include "pipeline/media/clip/inspect_clip.h"
#include "pipeline/media/image/image_file.h"
#include "pipeline/media/sound/sound_file.h"

namespace pytoon::app {
Result<jobs::PictureFacts> Inspector::inspect_picture(const std::filesystem::path& file) {
  Result<media::ImageFacts> facts = media::inspect_image(file);
  if (!facts) return facts.failure();
  return jobs::PictureFacts{facts->format, facts->size.width, facts->size.height, facts->has_alpha};
}

Result<jobs::ClipFacts> Inspector::inspect_clip(const std::filesystem::path& file) {
  const Result<media::ClipFacts> facts = media::inspect_clip(file);
  if (!facts) return facts.failure();
  return jobs::ClipFacts{facts->format, facts->size.width, facts->size.height,
                         facts->duration_seconds};
}

Result<jobs::AudioFacts> Inspector::inspect_audio(const std::filesystem::path& file) {
  const Result<media::SoundFacts> facts = media::inspect_sound(file);
  if (!facts) return facts.failure();
  return jobs::AudioFacts{facts->format, facts->duration_seconds, facts->channels,
                          facts->sample_rate};
}

worker::RunParts House::run_parts(const Config& config, Studio& studio, const Clock& clock,
                                  Log& log) {
  return {
      *store_, *storage_, *studio.renderer, engines_->ladder(), config.catalogue.presets, metrics_,
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
             std::unique_ptr<io::FileStorage> storage, std::unique_ptr<engines::EngineRoom> engines,
             const Clock& clock, Log& log)
    : store_(std::move(store)),
      storage_(std::move(storage)),
      metrics_(*store_),
      health_(*store_, *storage_),
      engines_(std::move(engines)),
      workers_(run_parts(config, studio, clock, log), pool_options(config, ids_)),
      service_({*store_, *storage_, inspector_, *studio.renderer, config.catalogue, workers_,
                metrics_, health_, ids_, log},
               {config.max_queued_jobs}) {}

}  // namespace pytoon::app
