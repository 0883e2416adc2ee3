// Drawing one segment and making its object the winner.
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "server/jobs/task_rules.h"
#include "server/worker/job_inputs.h"
#include "server/worker/task.h"

namespace pytoon::worker {
namespace fs = std::filesystem;

namespace {

jobs::admission::Cost promised_for(const render::SegmentCost& cost) {
  jobs::admission::Cost promised;
  promised.textures = static_cast<std::int64_t>(cost.vram_bytes() - cost.encoder_bytes -
                                                cost.decoder_bytes - cost.context_bytes);
  promised.encoder_session = static_cast<std::int64_t>(cost.encoder_bytes);
  promised.decoder_surfaces = static_cast<std::int64_t>(cost.decoder_bytes);
  promised.context = static_cast<std::int64_t>(cost.context_bytes);
  promised.encoder_sessions = cost.encoder_sessions;
  promised.pieces = cost.pieces;
  promised.duration = cost.expected;
  return promised;
}

double seconds_from(SteadyTime begin, SteadyTime end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

Status Task::render() {
  const WorkerDependencies& deps = context_.deps;
  const int index = leased_.lease.segment;
  Result<render::RenderJob> order = job_for_segment(leased_, index, context_.inputs);
  if (!order) return order.failure();
  const Result<std::string> key = deps.renderer.content_key(*order, index);
  if (!key) return key.failure();

  const fs::path staged = deps.storage.staging("segment.mp4");
  const Result<std::optional<std::string>> taken = take_finished(*key, staged);
  if (!taken) return taken.failure();
  const Status done =
      *taken ? keep(staged, *key, **taken, std::nullopt) : draw(*order, *key, staged);
  std::error_code ignored;
  fs::remove(staged, ignored);
  return done;
}

Status Task::draw(const render::RenderJob& order, const std::string& key, const fs::path& staged) {
  const WorkerDependencies& deps = context_.deps;
  const int index = leased_.lease.segment;
  const Result<std::unique_ptr<RenderTurn>> turn = wait_for_memory(order);
  if (!turn) return turn.failure();
  const jobs::Segment& segment = leased_.segments.at(static_cast<std::size_t>(index));
  const SteadyTime began = deps.clock.steady_now();
  std::optional<SteadyTime> first_frame;
  const auto on_frames = [&](int frames) {
    if (!first_frame) first_frame = deps.clock.steady_now();
    frames_ = jobs::frames_of_drawing(segment, frames);
  };
  const Status done = deps.renderer.render_segment(order, index, staged, cancel_, on_frames);
  const Drawn drawn{seconds_from(began, deps.clock.steady_now()),
                    seconds_from(leased_at_, first_frame.value_or(began))};
  if (!done && promise_lost_ && !stopped()) {
    return failure(FailureKind::kUnavailable, "its promise of GPU memory was lost");
  }
  if (!done) return done;
  const Result<std::string> sha256 = sha256_file(staged);
  return sha256 ? keep(staged, key, *sha256, drawn) : Status(sha256.failure());
}

// Stages a copy of the same segment as another job of the tenant has it: its SHA-256. None where
// there is none, or it has just gone with its job: then it is drawn. A storage that can't be asked
// is waited for.
Result<std::optional<std::string>> Task::take_finished(const std::string& key,
                                                       const fs::path& staged) {
  const WorkerDependencies& deps = context_.deps;
  std::optional<std::string> none;
  if (!context_.options.reuse || !leased_.job.spec.reuse) return none;
  const auto found = deps.tasks.finished_segment(leased_.job.tenant, key);
  if (!found) return found.failure();
  if (!*found) return none;
  const Result<fs::path> object = deps.storage.local((*found)->artifact_key);
  if (!object && is_lost(object.failure())) return none;
  if (!object) return object.failure();
  std::error_code error;
  if (!fs::copy_file(*object, staged, fs::copy_options::overwrite_existing, error)) return none;
  const Result<std::string> sha256 = sha256_file(staged);
  if (!sha256 || *sha256 != (*found)->artifact_sha256) return none;
  return std::optional(*sha256);
}

jobs::admission::Request Task::request_for(int index, const render::SegmentCost& cost) const {
  jobs::admission::Request request;
  request.task = leased_.job.id + "/" + std::to_string(index);
  request.waiting_since = leased_.job.created_at;
  request.priority = leased_.job.priority;
  request.cost = promised_for(cost);
  return request;
}

// The right to compose it on the card; null where no card is asked.
Result<std::unique_ptr<RenderTurn>> Task::wait_for_memory(const render::RenderJob& order) {
  const WorkerDependencies& deps = context_.deps;
  if (deps.gpu_admission == nullptr) return std::unique_ptr<RenderTurn>();
  const int index = leased_.lease.segment;
  const render::RenderMachine machine =
      deps.renderer.machine_for(order, deps.renderer.compositors_at_once(order, index));
  if (!machine.composes_on_cuda) return std::unique_ptr<RenderTurn>();
  const Result<render::SegmentCost> cost = deps.renderer.cost(order, index, machine);
  if (!cost) return cost.failure();
  waits_ = true;
  Result<std::unique_ptr<RenderTurn>> turn = deps.gpu_admission->wait_render(
      request_for(index, *cost), cancel_, [this](const std::string& why) { tell_waiting(why); },
      [this] {
        promise_lost_ = true;
        cancel_.cancel();
      });
  waits_ = false;
  return turn;
}

// The object first, then the row that names it the winner, then what people look at.
Status Task::keep(const fs::path& staged, const std::string& key, const std::string& sha256,
                  std::optional<Drawn> drawn) {
  const WorkerDependencies& deps = context_.deps;
  jobs::Segment row = leased_.segments.at(static_cast<std::size_t>(leased_.lease.segment));
  const std::string loser = row.artifact_key;
  row.status = jobs::SegmentStatus::kDone;
  row.content_key = key;
  row.artifact_key = "segments/" + key + "." + std::to_string(leased_.lease.epoch) + ".mp4";
  row.artifact_sha256 = sha256;
  row.reused = !drawn;
  if (stopped()) return failure(FailureKind::kCancelled, "stopped before the segment was kept");
  if (Status put = deps.storage.put(staged, row.artifact_key); !put) return put;
  const double seconds = drawn ? drawn->seconds : 0;
  Status kept = commit([&] { return deps.tasks.segment_done(leased_.lease, row, seconds); });
  // Where it is not known how the commit went, the object must stay.
  if (!kept && kept.failure().kind != FailureKind::kConflict) return kept;
  if (!kept && !is_winner(row.artifact_key)) {
    // Nobody else names an object after our epoch.
    const Status removed = deps.storage.remove(row.artifact_key);
    return removed ? kept : removed;
  }
  tell_kept(row, drawn);
  tidy_up(row, loser);
  return ok_status();
}

void Task::tell_kept(const jobs::Segment& row, const std::optional<Drawn>& drawn) {
  const WorkerDependencies& deps = context_.deps;
  if (!drawn) {
    deps.log.info("segment_reused", about({{"engine", row.engine_used}}));
    return deps.metrics.segment_reused();
  }
  deps.log.info("segment_rendered", about({{"engine", row.engine_used},
                                           {"seconds", drawn->seconds},
                                           {"first_frame_seconds", drawn->first_frame_seconds}}));
  deps.metrics.segment_rendered(row.engine_used, drawn->seconds);
}

// A commit whose answer was lost is refused when it is repeated.
bool Task::is_winner(const std::string& artifact_key) {
  const Result<std::vector<jobs::Segment>> rows = context_.deps.jobs.segments(leased_.job.id);
  if (!rows) return true;  // not known: then the object must stay
  return rows->at(static_cast<std::size_t>(leased_.lease.segment)).artifact_key == artifact_key;
}

// The row is what counts. A link that can't be made now is made again at the end.
void Task::tidy_up(const jobs::Segment& winner, const std::string& loser) {
  const WorkerDependencies& deps = context_.deps;
  const Status linked =
      deps.storage.link(winner.artifact_key, jobs::segment_link_key(leased_.job.id, winner.index));
  const bool lost = !loser.empty() && loser != winner.artifact_key;
  const Status removed = lost ? deps.storage.remove(loser) : ok_status();
  for (const Status* trouble : {&linked, &removed}) {
    if (!*trouble) {
      deps.log.warning("segment_untidy", about({{"reason", trouble->failure().detail}}));
    }
  }
}

}  // namespace pytoon::worker
