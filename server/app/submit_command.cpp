// `pytoon submit` and `pytoon watch`: what the console does, from a shell.
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "server/app/answer_text.h"
#include "server/app/commands.h"
#include "server/app/progress_bar.h"
#include "server/app/request_files.h"
#include "server/app/with_server.h"
#include "server/jobs/job.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kPollPause{500};
constexpr int kAwayMax = 60;  // polls in a row that a server may leave without an answer

bool has_ended(const Json& job) {
  const auto status = jobs::job_status_from_name(text_of(field(job, "status")));
  return status && jobs::is_terminal(*status);
}

// On a terminal a line that is drawn over, else a line for each state.
class ProgressLine {
 public:
  void show(const Json& job) {
    const std::string status = text_of(field(job, "status"));
    const Json& percent = field(job, "progress_pct");
    if (terminal_) {
      draw_progress(status, percent.is_number() ? percent.get<int>() : 0);
    } else if (status != last_) {
      std::cerr << status << "\n";
    }
    last_ = status;
  }
  void end() const {
    if (terminal_) std::cerr << "\n";
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::string last_;
};

// Until it has ended. A server that goes and comes again is waited for.
Result<Json> follow(const Remote& remote, const std::string& id) {
  SystemClock clock;
  ProgressLine line;
  for (int away = 0;;) {
    Result<Json> job = remote.get(job_path(id));
    if (job) {
      away = 0;
      line.show(*job);
      if (has_ended(*job)) {
        line.end();
        return job;
      }
    } else if (!traits(job.failure().kind).may_pass() || ++away > kAwayMax) {
      line.end();
      return job;
    }
    clock.sleep_for(kPollPause);
  }
}

int watch(const Remote& remote, const std::string& id, const fs::path& out) {
  const Result<Json> job = follow(remote, id);
  if (!job) return complain(job.failure());
  const std::string status = text_of(field(*job, "status"));
  if (status != jobs::name_of(jobs::JobStatus::kDone)) {
    std::cerr << "pytoon: the job ended " << status << ": " << text_of(field(*job, "error"))
              << "\n";
    return 1;
  }
  if (!field(*job, "fallback_reason").is_null()) {
    std::cerr << "pytoon: fallback: " << text_of(field(*job, "fallback_reason")) << "\n";
  }
  if (out.empty()) return 0;
  if (Status saved = remote.save(job_path(id) + "/output", out); !saved) {
    return complain(saved.failure());
  }
  std::cerr << out.string() << "\n";
  return 0;
}

}  // namespace

int submit_request(const Environment& environment, const Submission& submission) {
  return with_remote(environment, [&](const Remote& remote) {
    const Result<nlohmann::json> body = read_request_with_files(
        submission.request, [&](const fs::path& file, const std::string& category) {
          std::cerr << "uploading " << file.filename().string() << "\n";
          return remote.upload(file, category);
        });
    if (!body) return complain(body.failure());
    const Result<Json> submitted = remote.post("/api/v1/jobs", Json(*body));
    if (!submitted) return complain(submitted.failure());
    const std::string id = text_of(field(*submitted, "job_id"));
    std::cout << id << std::endl;
    return submission.watch || !submission.out.empty() ? watch(remote, id, submission.out) : 0;
  });
}

int watch_job(const Environment& environment, const std::string& id, const fs::path& out) {
  return with_remote(environment, [&](const Remote& remote) { return watch(remote, id, out); });
}

}  // namespace pytoon::app
