// The first task of a run: are the inputs there, what is each segment's footage, what is kept of an
// earlier run.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/worker/gpu_admission.h"
#include "server/worker/job_encoder.h"
#include "server/worker/job_inputs.h"
#include "server/worker/segment_footage.h"
#include "server/worker/task.h"
#include "server/worker/vram_exhausted.h"

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
  deps.log.info(
      "job_dequeued",
      about({{"run", job.run}, {"epoch", leased_.lease.epoch}, {"attempts", job.attempts}}));
  if (leased_.segments.size() != job.spec.segments.size()) {
    return failure(FailureKind::kInternal, "the job's rows and its spec disagree");
  }
  Result<render::RenderJob> order = whole_job(leased_, context_.inputs);
  if (!order) return order.failure();

  jobs::PrepareResult preparation;
  preparation.segments = leased_.segments;
  if (Status drawn = settle_what_is_drawn(*order, preparation.segments); !drawn) return drawn;
  EncoderDecision encoder = decide_encoder(deps.renderer.encoders(), job.encoder);
  order->encoder = encoder.encoder;
  if (const auto other = leave_full_card(*order, preparation.segments)) {
    if (Status noted = note_fallback("cpu_compositor", other->reason); !noted) return noted;
    encoder = *other;
  }
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

// The encoder of a job whose best one is a GPU's, when waiting for the GPU takes longer than the
// idle cores do. Only a job that can be drawn at once: who has to wait for footage first finds
// another queue then. One that goes on keeps its encoder.
std::optional<EncoderDecision> Task::leave_full_card(const render::RenderJob& order,
                                                     const std::vector<jobs::Segment>& segments) {
  const WorkerDependencies& deps = context_.deps;
  if (deps.gpu_admission == nullptr || !leased_.job.encoder.empty()) return std::nullopt;
  const bool footage_is_there =
      std::all_of(segments.begin(), segments.end(),
                  [](const jobs::Segment& segment) { return segment.engine_next.empty(); });
  const render::RenderMachine machine =
      deps.renderer.machine_for(order, deps.renderer.compositors_at_once(order, 0));
  if (!machine.composes_on_cuda || !footage_is_there) return std::nullopt;
  const Result<render::SegmentCost> cost = deps.renderer.cost(order, 0, machine);
  const Result<jobs::Backlog> backlog = deps.jobs.backlog();
  if (!cost || !backlog) return std::nullopt;  // its segments will say what is wrong
  const int own = static_cast<int>(segments.size());
  const int others = std::max(0, static_cast<int>(backlog->open_segments) - own);
  const jobs::admission::Decision decision = deps.gpu_admission->choose_compositor(
      request_for(0, *cost), own,
      {others, std::max(0, backlog->threads - others), backlog->gpu_threads});
  if (decision.kind != jobs::admission::Decision::Kind::kElsewhere) return std::nullopt;
  std::string reason = sentence(decision);
  if (decision.reason != jobs::admission::Reason::kBacklog) reason = vram_exhausted_text(reason);
  return EncoderDecision{deps.renderer.encoders().back().name, order.encoder, reason};
}

// Footage that no engine has to be waited for; of the rest, which engine is to be asked first.
Status Task::settle_what_is_drawn(render::RenderJob& order, std::vector<jobs::Segment>& segments) {
  const WorkerDependencies& deps = context_.deps;
  const FootageSources sources{deps.engine_chain, deps.presets, deps.storage, deps.decoder};
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
    segment.engine_failures = chosen->fallback ? chosen->reason : "";
    segment.footage = chosen->footage.kind;
    segment.engine_used = chosen->engine;
    order.footage[static_cast<std::size_t>(segment.index)] = chosen->footage;
  }
  return ok_status();
}

}  // namespace pytoon::worker
