#include "server/worker/sound_task.h"

#include <exception>
#include <utility>

namespace pytoon::worker {

SoundTask::SoundTask(render::Renderer& renderer, const Clock& clock, render::RenderJob job,
                     std::filesystem::path file, CancelToken cancel)
    : renderer_(renderer),
      clock_(clock),
      job_(std::move(job)),
      file_(std::move(file)),
      cancel_(std::move(cancel)) {}

SoundTask::~SoundTask() {
  cancel_.cancel();
  if (thread_.joinable()) thread_.join();
  std::error_code ignored;  // not there when it failed
  std::filesystem::remove(file_, ignored);
}

Result<SoundTask::Made> SoundTask::make() const {
  const SteadyTime began = clock_.steady_now();
  try {
    const Result<media::SoundMeasures> measures = renderer_.prepare_sound(job_, file_, cancel_);
    if (!measures) return measures.failure();
    const std::chrono::duration<double> took = clock_.steady_now() - began;
    return Made{*measures, took.count()};
  } catch (const std::exception& error) {
    return failure(FailureKind::kInternal, error.what());
  }
}

void SoundTask::begin() {
  CHECK(!thread_.joinable(), "the sound is being made already");
  thread_ = std::thread([this] { made_ = make(); });
}

const Result<SoundTask::Made>& SoundTask::wait() {
  if (thread_.joinable()) thread_.join();
  return *made_;
}

}  // namespace pytoon::worker
