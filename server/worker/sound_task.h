// The sound of one job, made on a thread of its own while the segments render.
//
// Thread rule: one thread at a time. Leaving scope cancels, waits for the thread (milliseconds) and
// removes the file.
#pragma once

#include <filesystem>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "pipeline/render/renderer.h"

namespace pytoon::worker {

class SoundTask {
 public:
  struct Made {
    media::SoundMeasures measures;
    double seconds = 0;  // it took
  };

  // renderer and clock must outlive the task; file is where the sound goes. cancel is that of the
  // whole job; leaving scope cancels it too.
  SoundTask(render::Renderer& renderer, const Clock& clock, render::RenderJob job,
            std::filesystem::path file, CancelToken cancel);
  ~SoundTask();
  SoundTask(const SoundTask&) = delete;
  SoundTask& operator=(const SoundTask&) = delete;

  const std::filesystem::path& file() const { return file_; }
  // Starts the thread. Once more after a failure.
  void begin();
  // Blocks until the sound is there or has failed, as Renderer::prepare_sound does.
  const Result<Made>& wait();

 private:
  Result<Made> make() const;

  render::Renderer& renderer_;
  const Clock& clock_;
  const render::RenderJob job_;
  const std::filesystem::path file_;
  const CancelToken cancel_;
  std::optional<Result<Made>> made_;  // by the thread; read after joining it
  std::thread thread_;
};

}  // namespace pytoon::worker
