// Making the job's sound, beside its segments.
#include "base/hash.h"
#include "server/worker/job_inputs.h"
#include "server/worker/job_metadata.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

Status Task::make_sound() {
  const Parts& parts = desk_.parts;
  Result<render::Inputs> inputs = sound_inputs(claim_.job, desk_.inputs);
  if (!inputs) return inputs.failure();
  render::RenderJob order;
  order.spec = claim_.job.spec;
  order.inputs = std::move(inputs).value();
  const fs::path staged = parts.storage.staging("sound.mp4");
  const SteadyTime began = parts.clock.steady_now();
  const Result<media::SoundMeasures> measures =
      parts.renderer.prepare_sound(order, staged, cancel_);
  if (!measures) return measures.failure();
  const std::chrono::duration<double> took = parts.clock.steady_now() - began;
  const Result<std::string> sha256 = sha256_file(staged);
  if (!sha256) return sha256.failure();
  const std::string key =
      "sound/" + claim_.job.id + "." + std::to_string(claim_.lease.epoch) + ".mp4";
  if (stopped()) return failure(FailureKind::kCancelled, "stopped before the sound was kept");
  if (Status put = parts.storage.put(staged, key); !put) return put;
  const nlohmann::ordered_json facts = sound_json(*measures);
  Status made =
      commit([&] { return parts.tasks.sound_made(claim_.lease, key, *sha256, facts.dump()); });
  if (!made) return made;
  parts.log.info("sound_ready",
                 {{"job_id", claim_.job.id}, {"seconds", took.count()}, {"sound", facts}});
  return made;
}

}  // namespace pytoon::worker
