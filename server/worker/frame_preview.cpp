#include "server/worker/frame_preview.h"

#include "server/worker/job_inputs.h"

namespace pytoon::worker {

Result<std::string> FramePreview::frame_jpeg(const jobs::NewJob& job, int frame) {
  jobs::LeasedTask asked;
  asked.job = job.job;
  asked.segments = job.segments;
  const int fps = job.job.spec.output.fps;
  int segment = 0;
  int last = job.segments.at(0).duration_seconds * fps;
  while (frame >= last && segment + 1 < static_cast<int>(job.segments.size())) {
    ++segment;
    last += job.segments.at(static_cast<std::size_t>(segment)).duration_seconds * fps;
  }
  Result<render::RenderJob> drawn = job_for_segment(asked, segment, inputs_);
  if (!drawn) return drawn.failure();
  return renderer_.frame_jpeg(*drawn, frame);
}

}  // namespace pytoon::worker
