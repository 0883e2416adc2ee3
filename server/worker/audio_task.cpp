// Making the job's audio, beside its segments.
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "server/worker/job_inputs.h"
#include "server/worker/job_metadata.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

Status Task::make_audio() {
  const WorkerDependencies& deps = context_.deps;
  Result<render::Inputs> inputs = audio_inputs(leased_.job, context_.inputs);
  if (!inputs) return inputs.failure();
  render::RenderJob order;
  order.spec = leased_.job.spec;
  order.inputs = std::move(inputs).value();
  const fs::path staged = deps.storage.staging("audio.mp4");
  const SteadyTime began = deps.clock.steady_now();
  const Result<media::AudioMeasures> measures = deps.renderer.prepare_audio(order, staged, cancel_);
  if (!measures) return measures.failure();
  const std::chrono::duration<double> took = deps.clock.steady_now() - began;
  const Result<std::string> sha256 = sha256_file(staged);
  if (!sha256) return sha256.failure();
  const std::string key =
      "audio/" + leased_.job.id + "." + std::to_string(leased_.lease.epoch) + ".mp4";
  if (stopped()) return failure(FailureKind::kCancelled, "stopped before the audio was kept");
  if (Status put = deps.storage.put(staged, key); !put) return put;
  const nlohmann::ordered_json facts = audio_json(*measures);
  Status made =
      commit([&] { return deps.tasks.audio_made(leased_.lease, key, *sha256, json_text(facts)); });
  if (!made) return made;
  deps.log.info("audio_ready", about({{"seconds", took.count()}, {"audio", facts}}));
  return made;
}

}  // namespace pytoon::worker
