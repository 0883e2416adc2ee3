#include "server/worker/orphaned_prompts.h"

#include <optional>

#include "base/text.h"

namespace pytoon::worker {

using engines::ComfyServer;
using engines::Watch;

namespace {

constexpr std::chrono::seconds kServerLimit{5};

// Of FootageRequest::key(), which a task begins with: the job and its run.
struct JobRun {
  std::string job_id;
  int run = 0;
};
std::optional<JobRun> job_of(const std::string& task) {
  const std::size_t first = task.find('/');
  const std::size_t second = first == std::string::npos ? first : task.find('/', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const auto run = decimal(std::string_view(task).substr(first + 1, second - first - 1));
  if (!run) return std::nullopt;
  return JobRun{task.substr(0, first), static_cast<int>(*run)};
}

}  // namespace

void OrphanedPrompts::look() {
  std::set<std::string> suspects;
  for (ComfyServer* const server : servers_) {
    Watch watch;
    watch.deadline = clock_.steady_now() + kServerLimit;
    const auto orders = server->marked_orders(watch);
    if (!orders) continue;
    for (const ComfyServer::Marked& prompt : *orders) {
      if (needed(prompt.task)) continue;
      if (suspects_.contains(prompt.prompt_id)) {
        stop(*server, prompt);
      } else {
        suspects.insert(prompt.prompt_id);
      }
    }
  }
  suspects_ = std::move(suspects);
}

bool OrphanedPrompts::needed(const std::string& task) const {
  const std::optional<JobRun> of = job_of(task);
  if (!of) return true;
  const Result<jobs::Job> job = jobs_.job(of->job_id);
  return !job || !jobs::is_over(*job, of->run);
}

void OrphanedPrompts::stop(ComfyServer& server, const ComfyServer::Marked& prompt) {
  Watch watch;
  watch.deadline = clock_.steady_now() + kServerLimit;
  const Status stopped = server.cancel(prompt.prompt_id, watch);
  log_.warning("comfyui_prompt_orphaned", {{"endpoint", server.base().origin},
                                           {"prompt_id", prompt.prompt_id},
                                           {"task", prompt.task},
                                           {"failure", stopped ? "" : stopped.failure().detail}});
}

}  // namespace pytoon::worker
