// Draws single frames of videos that nobody has asked for yet, from the same inputs as a worker and
// by the same renderer, on the host's CPU: no promise of GPU memory is needed. Footage that an
// engine would generate is not there yet; the job's own images stand for it.
//
// Thread rule: any thread. Blocks as drawing a frame does: some hundred milliseconds with images
// that are new here, tens without. Fails as InputCache and render::Renderer::strip_jpeg() do.
#pragma once

#include "server/jobs/ports.h"
#include "server/worker/input_cache.h"

namespace pytoon::worker {

class FramePreview final : public jobs::FramePreviewer {
 public:
  // All must outlive it.
  FramePreview(jobs::JobStore& jobs, jobs::ObjectStore& storage, render::Renderer& renderer,
               Clock& clock)
      : renderer_(renderer), inputs_(jobs, storage, clock) {}

  Result<std::string> strip_jpeg(const jobs::NewJob& job, const std::vector<int>& frames) override;

 private:
  render::Renderer& renderer_;
  InputCache inputs_;
};

}  // namespace pytoon::worker
