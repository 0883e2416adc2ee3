#include <unistd.h>

#include <csignal>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "engines/clip_verifier.h"
#include "pipeline/media/video_probe.h"
#include "server/app/application.h"
#include "server/app/backends.h"
#include "server/app/commands.h"
#include "server/app/complain.h"
#include "server/app/local_request.h"
#include "server/app/progress_bar.h"
#include "server/app/stop_signals.h"
#include "server/app/work_folder.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::chrono::milliseconds kLookTime{20};  // how late the job's end is seen

// A file that can't be read as what it should be is a wrong request.
int complain_of_request(const Failure& fault) {
  const int code = complain(fault);
  return fault.kind == FailureKind::kMalformed ? 2 : code;
}

// Until the job has ended or somebody wants us to stop.
Result<jobs::Job> follow(Application& application, const std::string& id,
                         const StopSignals& signals) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  for (;;) {
    Result<jobs::Job> job = application.service().job(local_owner(), id);
    if (!job) return job;
    if (terminal) draw_progress(jobs::name_of(job->status), job->progress_pct);
    if (jobs::is_terminal(job->status)) {
      if (terminal) std::cerr << "\n";
      return job;
    }
    if (const auto reason = application.process_health().reason()) {
      return failure(FailureKind::kDeviceLost, *reason);
    }
    if (signals.wait_for(kLookTime) != StopSignals::Order::kNone) {
      return failure(FailureKind::kCancelled, "stopped by a signal");
    }
  }
}

// Another render may write to the same place: each file is one's or the other's, whole.
Status copy_whole(const fs::path& from, const fs::path& to) {
  const fs::path temporary = temporary_beside(to);
  std::error_code error;
  fs::copy_file(from, temporary, error);
  if (error) return errno_failure(error.value(), "can't write " + to.string());
  return publish_file(temporary, to);
}

Status hand_over(Application& application, const jobs::Job& job, const fs::path& out) {
  std::error_code error;
  fs::create_directories(out / "segments", error);
  for (const std::string name : jobs::kOutputFiles) {
    Result<fs::path> from = application.storage().local(jobs::output_key(job, name));
    if (!from) return from.failure();
    if (Status copied = copy_whole(*from, out / name); !copied) return copied;
  }
  Result<std::vector<jobs::Segment>> segments =
      application.service().segments(local_owner(), job.id);
  if (!segments) return segments.failure();
  for (const jobs::Segment& segment : *segments) {
    Result<fs::path> from = application.storage().local(segment.artifact_key);
    if (!from) return from.failure();
    const fs::path to = out / jobs::segment_file(segment.index);
    if (Status copied = copy_whole(*from, to); !copied) return copied;
  }
  return ok_status();
}

// What is cached between renders is the user's, where the user has a place for it.
fs::path usable_cache(const fs::path& of_user, const fs::path& work) {
  const bool usable =
      !of_user.empty() && create_private_folders(of_user) && ::access(of_user.c_str(), W_OK) == 0;
  return usable ? of_user : work / "cache";
}

// Of the service, where an engine costs money: it counts together with what the service spends, one
// cap for all. Else null.
Result<std::unique_ptr<io::SqlStore>> open_ledger(const Config& config, Clock& clock) {
  if (!engines::costs_money(config.engines)) return std::unique_ptr<io::SqlStore>();
  auto record = open_record(config, clock);
  if (record) return record;
  Failure fault = record.failure();
  fault.detail =
      "an engine costs money, and what is spent is counted in the database: " + fault.detail +
      "; submit the job to the service instead, or unset the engine's address";
  return fault;
}

int report(const jobs::Job& job, const fs::path& out, double seconds) {
  if (job.status != jobs::JobStatus::kDone) {
    std::cerr << "pytoon: the job ended " << jobs::name_of(job.status) << ": " << job.error << "\n";
    return 1;
  }
  if (job.fallback_used) std::cerr << "pytoon: fallback: " << job.fallback_reason << "\n";
  const fs::path video = out / "output.mp4";
  std::cout << video.string() << ": " << job.spec.target_duration_seconds << " s, "
            << fs::file_size(video) / 1024 << " KiB, rendered in " << std::fixed
            << std::setprecision(1) << seconds << " s\n";
  return 0;
}

int render_in(Application& application, const fs::path& request, const fs::path& out,
              const Clock& clock, const StopSignals& signals) {
  const Result<json> body = take_in_request(application, request);
  if (!body) return complain_of_request(body.failure());
  Result<jobs::Submitted> submitted = application.service().submit(local_owner(), *body, "");
  if (!submitted) return complain_of_request(submitted.failure());

  const SteadyTime began = clock.steady_now();
  const Status started = application.start();
  if (!started) return complain(started.failure());
  Result<jobs::Job> job = follow(application, submitted->job_id, signals);
  application.stop();
  if (!job) return complain(job.failure());
  const std::chrono::duration<double> took = clock.steady_now() - began;
  if (job->status == jobs::JobStatus::kDone) {
    const Status handed = hand_over(application, *job, out);
    if (!handed) return complain(handed.failure());
  }
  return report(*job, out, took.count());
}

}  // namespace

int render_request(const Config& given, const fs::path& request, const fs::path& out) {
  const StopSignals signals;
  SystemClock clock;
  Result<std::unique_ptr<WorkFolder>> work = WorkFolder::make(out);
  if (!work) return complain(work.failure());
  Config config = given;
  if (!config.cache_dir_chosen) {
    config.cache_dir = usable_cache(config.user_cache_dir, (*work)->path());
  }
  Log log(clock, std::cerr, std::max(config.log_level, LogLevel::kWarning));
  Result<RenderStack> stack = open_render_stack(config, log, confined_decoder(config));
  if (!stack) return complain(stack.failure());
  auto storage = io::FileStorage::open((*work)->path() / "storage", 0);
  if (!storage) return complain(storage.failure());
  auto ledger = open_ledger(config, clock);
  if (!ledger) return complain(ledger.failure());
  auto store = io::open_memory_store(clock);
  auto engines = engines::EngineRegistry::open(config.engines, *ledger ? **ledger : *store, clock,
                                               log, engines::clip_verifier(*stack->decoder));
  if (!engines) return complain(engines.failure());
  Application application(Role::kRender, config, *stack, std::move(store), std::move(*storage),
                          std::move(*engines), clock, log);
  return render_in(application, request, out, clock, signals);
}

}  // namespace pytoon::app
