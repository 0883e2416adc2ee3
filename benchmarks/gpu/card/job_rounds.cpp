#include "benchmarks/gpu/card/job_rounds.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "engines/clip_verifier.h"
#include "server/app/application.h"
#include "server/app/local_request.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"

namespace pytoon::bench {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::milliseconds kPoll{50};
constexpr std::chrono::seconds kRoundLimit{150};  // a job that waits for memory goes on after 30 s

// Of pytoon_admission_violations_total{cause="..."}.
int violations(const std::string& metrics, const std::string& cause) {
  const std::string name = "pytoon_admission_violations_total{cause=\"" + cause + "\"} ";
  const std::size_t at = metrics.find(name);
  return at == std::string::npos ? 0 : std::atoi(metrics.c_str() + at + name.size());
}

Result<JobOutcome> outcome_of(app::Application& application, const jobs::Job& job) {
  JobOutcome outcome;
  const Result<fs::path> video = application.storage().local(jobs::output_key(job, "output.mp4"));
  if (!video) return video.failure();
  const Result<std::string> hash = sha256_file(*video);
  if (!hash) return hash.failure();
  outcome.sha256 = *hash;
  const auto file = application.storage().local(jobs::output_key(job, "metadata.json"));
  if (!file) return file.failure();
  const Result<std::string> text = read_file(*file);
  if (!text) return text.failure();
  const json metadata = parse_json<json>(*text);
  if (metadata.contains("made_with")) outcome.device = metadata["made_with"].value("device", "");
  if (metadata.contains("degraded") && metadata["degraded"].is_string()) {
    outcome.reason = metadata["degraded"].get<std::string>();
  }
  return outcome;
}

struct Running {
  std::string request;
  std::string id;
};

Result<std::vector<Running>> submit_all(app::Application& application,
                                        const std::vector<fs::path>& requests) {
  std::vector<Running> running;
  for (const fs::path& request : requests) {
    const Result<json> body = app::take_in_request(application, request);
    if (!body) return body.failure();
    const auto submitted = application.service().submit(app::local_owner(), *body, "");
    if (!submitted) return submitted.failure();
    running.push_back({request.stem().string(), submitted->job_id});
  }
  return running;
}

void follow(app::Application& application, std::vector<Running> running, Clock& clock,
            RoundsReport& report) {
  const SteadyTime end = clock.steady_now() + kRoundLimit;
  while (!running.empty()) {
    for (auto one = running.begin(); one != running.end();) {
      const Result<jobs::Job> job = application.service().job(app::local_owner(), one->id);
      const bool late = clock.steady_now() > end;
      const bool lost = !job || application.process_health().reason().has_value();
      if (!late && !lost && !jobs::is_terminal(job->status)) {
        ++one;
        continue;
      }
      if (!late && !lost && job->status == jobs::JobStatus::kDone) {
        Result<JobOutcome> outcome = outcome_of(application, *job);
        if (outcome) {
          outcome->request = one->request;
          report.jobs.push_back(std::move(*outcome));
        } else {
          report.failed.push_back(one->request + ": " + outcome.failure().detail);
        }
      } else {
        report.failed.push_back(one->request + ": " +
                                (late && job ? "not done in time: " + job->waiting_for
                                 : !job      ? job.failure().detail
                                 : lost      ? *application.process_health().reason()
                                             : job->error));
      }
      one = running.erase(one);
    }
    clock.sleep_for(kPoll);
  }
}

Status run_round(const Studio& studio, OwnCard* card, const std::vector<fs::path>& requests,
                 const fs::path& folder, RoundsReport& report) {
  auto storage = io::FileStorage::open(folder / "storage", 0);
  if (!storage) return storage.failure();
  auto spend = io::open_memory_store(studio.clock);
  auto engines =
      engines::EngineRegistry::open(studio.config.engines, *spend, studio.clock, studio.log,
                                    engines::clip_verifier(*studio.stack.decoder));
  if (!engines) return engines.failure();
  auto store = io::open_memory_store(studio.clock);
  jobs::admission::PromiseLedger& ledger = store->promises();
  app::Application application(app::Role::kRender, studio.config, studio.stack, std::move(store),
                               std::move(*storage), std::move(*engines), studio.clock, studio.log);
  const Result<std::vector<Running>> running = submit_all(application, requests);
  if (!running) return running.failure();
  if (Status started = application.start(); !started) return started;
  {
    std::optional<Repeater> watch;
    if (card != nullptr) {
      watch.emplace(kLook, [&] {
        look_at(*card, *studio.stack.device, ledger,
                static_cast<jobs::admission::Bytes>(studio.config.image_cache_bytes()),
                report.looks);
      });
    }
    follow(application, *running, studio.clock, report);
  }
  const std::string metrics = application.metrics().text();
  report.ledger_violations_ours += violations(metrics, "ours");
  report.ledger_violations_foreign += violations(metrics, "foreign");
  application.stop();
  return ok_status();
}

}  // namespace

Result<RoundsReport> run_rounds(const Studio& studio, OwnCard* card, std::chrono::seconds duration,
                                const std::vector<fs::path>& requests, const fs::path& folder) {
  RoundsReport report;
  const SteadyTime end = studio.clock.steady_now() + duration;
  do {
    const fs::path place = folder / ("round" + std::to_string(report.rounds));
    std::error_code error;
    fs::create_directories(place, error);
    const Status done = run_round(studio, card, requests, place, report);
    fs::remove_all(place, error);
    if (!done) return done.failure();
    ++report.rounds;
  } while (report.failed.empty() && studio.clock.steady_now() < end);
  return report;
}

nlohmann::ordered_json json_of(const RoundsReport& report) {
  int on_card = 0;
  std::vector<std::string> reasons;
  for (const JobOutcome& job : report.jobs) {
    on_card += job.device == "cuda" ? 1 : 0;
    if (job.device != "cuda") reasons.push_back(job.reason);
  }
  const LookCounts& looks = report.looks;
  return {{"rounds", report.rounds},
          {"jobs", report.jobs.size()},
          {"on_card", on_card},
          {"failed", report.failed},
          {"reasons", reasons},
          {"looks", looks.looks},
          {"unsettled", looks.unsettled},
          {"with_promises", looks.with_promises},
          {"with_prompts", looks.with_prompts},
          {"headroom_used", looks.headroom_used},
          {"violations_ours", looks.violations_ours},
          {"violations_foreign", looks.violations_foreign},
          {"ledger_violations_ours", report.ledger_violations_ours},
          {"ledger_violations_foreign", report.ledger_violations_foreign},
          {"lowest_free_mib", looks.lowest_free / jobs::admission::kMiB}};
}

}  // namespace pytoon::bench
