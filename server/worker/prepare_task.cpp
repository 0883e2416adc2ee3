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
    const Result<bool> kept = same ? intact(segment, storage) : Result<bool>(false);
    if (!kept) return kept.failure();
    segment.status = *kept ? jobs::SegmentStatus::kDone : jobs::SegmentStatus::kPending;
  }
  return ok_status();
}

}  // namespace

Status Task::prepare() {
  const WorkerDependencies& deps = context_.deps;
  const jobs::Job& job = leased_.job;
  deps.log.info("job_dequeued", {{"job_id", job.id},
                                 {"run", job.run},
                                 {"epoch", leased_.lease.epoch},
                                 {"attempts", job.attempts}});
  if (leased_.segments.size() != job.spec.segments.size()) {
    return failure(FailureKind::kInternal, "the job's rows and its spec disagree");
  }
  Result<render::RenderJob> order = whole_job(leased_, context_.inputs);
  if (!order) return order.failure();

  jobs::PrepareResult preparation;
  preparation.segments = leased_.segments;
  if (Status drawn = settle_what_is_drawn(*order, preparation.segments); !drawn) return drawn;
  const EncoderDecision encoder = decide_encoder(deps.renderer.encoders(), job.encoder);
  preparation.encoder = encoder.encoder;
  preparation.degraded = encoder.degraded();
  order->encoder = encoder.encoder;
  Status kept = keep_what_can_be_kept(*order, deps.renderer, deps.storage, preparation.segments);
  if (!kept) return kept;
  const Result<bool> audio = intact(job.audio_key, job.audio_sha256, deps.storage);
  if (!audio) return audio.failure();
  preparation.audio = order->inputs.has_audio() && !*audio;
  Status prepared = commit([&] { return deps.tasks.prepared(leased_.lease, preparation); });
  if (prepared && !encoder.from.empty() && job.degraded.empty()) {
    tell_degraded(encoder.from, encoder.encoder, encoder.reason);
  }
  return prepared;
}

// Footage that no engine has to be waited for; of the rest, which engine is to be asked first.
Status Task::settle_what_is_drawn(render::RenderJob& order, std::vector<jobs::Segment>& segments) {
  const WorkerDependencies& deps = context_.deps;
  const FootageSources sources{deps.engine_chain, deps.presets, deps.storage};
  std::string last_reason;
  for (jobs::Segment& segment : segments) {
    if (segment.footage) continue;
    engines::Watch watch;
    watch.cancel = cancel_;
    watch.deadline = engines_until_;
    const Result<engines::ChainStep> step = choose_segment_footage(
        leased_.job, segment.index, order.inputs, sources, "", watch, {}, "");
    if (!step) return step.failure();
    if (const auto* const first = std::get_if<engines::ChainPosition>(&*step)) {
      segment.engine_next = first->engine;
      segment.engine_failures = first->failures;
      continue;
    }
    const engines::ChainResult* const chosen = &std::get<engines::ChainResult>(*step);
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
