#include "server/worker/frame_preview.h"

#include "server/worker/job_inputs.h"

namespace pytoon::worker {

namespace {

int segment_of(const jobs::NewJob& job, int frame) {
  const int fps = job.job.spec.output.fps;
  int segment = 0;
  int last = job.segments.at(0).duration_seconds * fps;
  while (frame >= last && segment + 1 < static_cast<int>(job.segments.size())) {
    ++segment;
    last += job.segments.at(static_cast<std::size_t>(segment)).duration_seconds * fps;
  }
  return segment;
}

}  // namespace

// Each segment's files are asked for once.
Result<std::string> FramePreview::strip_jpeg(const jobs::NewJob& job,
                                             const std::vector<int>& frames) {
  jobs::LeasedTask asked;
  asked.job = job.job;
  asked.segments = job.segments;
  std::vector<render::FrameRun> strip;
  int segment_before = -1;
  for (const int frame : frames) {
    const int segment = segment_of(job, frame);
    if (segment != segment_before) {
      Result<render::RenderJob> drawn = job_for_segment(asked, segment, inputs_);
      if (!drawn) return drawn.failure();
      strip.push_back({std::move(*drawn), {}});
      segment_before = segment;
    }
    strip.back().frames.push_back(frame);
  }
  return renderer_.strip_jpeg(strip);
}

}  // namespace pytoon::worker
