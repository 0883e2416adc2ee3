// The first task of a run: are the inputs there, what is each segment's footage, what is kept of an
// earlier run.
#include "server/worker/job_encoder.h"
#include "server/worker/job_inputs.h"
#include "server/worker/segment_footage.h"
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
  Result<render::RenderJob> order = whole_job(claim_, desk_.inputs);
  if (!order) return order.failure();

  jobs::Preparation preparation;
  preparation.segments = claim_.segments;
  if (Status drawn = settle_what_is_drawn(*order, preparation.segments); !drawn) return drawn;
  const EncoderDecision encoder = decide_encoder(parts.renderer.encoders(), job.encoder);
  preparation.encoder = encoder.encoder;
  preparation.degraded = encoder.degraded();
  order->encoder = encoder.encoder;
  Status kept = keep_what_can_be_kept(*order, parts.renderer, parts.storage, preparation.segments);
  if (!kept) return kept;
  preparation.sound =
      order->inputs.has_sound() && !intact(job.sound_key, job.sound_sha256, parts.storage);
  Status prepared = commit([&] { return parts.tasks.prepared(claim_.lease, preparation); });
  if (prepared && !encoder.from.empty() && job.degraded.empty()) {
    tell_degraded(encoder.from, encoder.encoder, encoder.reason);
  }
  return prepared;
}

// Footage that no engine has to be waited for.
Status Task::settle_what_is_drawn(render::RenderJob& order, std::vector<jobs::Segment>& segments) {
  const Parts& parts = desk_.parts;
  const FootageSources sources{parts.ladder, parts.presets, parts.storage};
  std::string last_reason;
  for (jobs::Segment& segment : segments) {
    if (segment.footage || needs_an_engine(claim_.job.spec, segment.index, sources)) continue;
    const Result<ChosenFootage> chosen =
        choose_segment_footage(claim_.job, segment.index, order.inputs, sources, "", {cancel_});
    if (!chosen) return chosen.failure();
    if (chosen->fallback && chosen->reason != last_reason) {
      if (Status noted = note_fallback(chosen->engine, chosen->reason); !noted) return noted;
      last_reason = chosen->reason;
    }
    segment.footage = chosen->footage.kind;
    segment.engine_used = chosen->engine;
    order.footage[static_cast<std::size_t>(segment.index)] = chosen->footage;
  }
  return ok_status();
}

}  // namespace pytoon::worker
