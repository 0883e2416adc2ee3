// The first task of a run: are the inputs there, what is each segment's footage, what is kept of an
// earlier run.
#include "server/worker/task.h"

namespace pytoon::worker {
namespace {

// Of an earlier run stays what has the same key and is still whole.
Status keep_what_can_be_kept(const render::RenderJob& order, render::Renderer& renderer,
                             jobs::ObjectStore& storage, std::vector<jobs::Segment>& segments) {
  const Result<std::vector<std::string>> keys = renderer.content_keys(order);
  if (!keys) return keys.failure();
  for (jobs::Segment& segment : segments) {
    const bool same = segment.content_key == keys->at(static_cast<std::size_t>(segment.index));
    const bool kept = same && intact(segment, storage);
    segment.status = kept ? jobs::SegmentStatus::kDone : jobs::SegmentStatus::kPending;
  }
  return ok_status();
}

}  // namespace

Status Task::prepare() {
  const Parts& parts = desk_.parts;
  const jobs::Job& job = claim_.job;
  parts.log.info("job_dequeued", {{"job_id", job.id},
                                  {"run", job.run},
                                  {"epoch", claim_.lease.epoch},
                                  {"attempts", job.attempts}});
  if (claim_.segments.size() != job.spec.segments.size()) {
    return failure(FailureKind::kInternal, "the job's rows and its spec disagree");
  }
  Result<render::RenderJob> order = this->order();
  if (!order) return order.failure();

  jobs::Preparation preparation;
  preparation.segments = claim_.segments;
  preparation.encoder = job.encoder.empty() ? desk_.options.encoders.front() : job.encoder;
  const std::vector<std::string> chain = engines::chain_of(job.spec, parts.presets);
  std::string last_reason;
  for (jobs::Segment& segment : preparation.segments) {
    const auto i = static_cast<std::size_t>(segment.index);
    if (!segment.footage) {
      const engines::Served served = parts.ladder.serve(chain, job.spec, segment.index);
      if (served.fallback && served.reason != last_reason) {
        if (Status noted = note_fallback(served.engine, served.reason); !noted) return noted;
        last_reason = served.reason;
      }
      segment.footage = served.footage;
      segment.engine_used = served.engine;
    }
    order->footage[i] = *segment.footage;
  }
  Status kept =
      keep_what_can_be_kept(*order, parts.renderer, parts.storage, preparation.segments);
  if (!kept) return kept;
  return commit([&] { return parts.tasks.prepared(claim_.lease, preparation); });
}

}  // namespace pytoon::worker
