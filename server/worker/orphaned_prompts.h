// Prompts that run on for nobody: their process died, and their job was cancelled, failed or
// deleted before another one could take them over. They hold a card that others wait for, so they
// are stopped, once two looks in a row have found that their job needs them no more. A prompt of a
// job that the database does not know at all may belong to another installation on the same
// ComfyUI: it is left alone.
//
// Thread rule: one thread. look() blocks for a request to each server, and one more for each prompt
// that it stops.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "engines/comfyui/comfy_server.h"
#include "server/jobs/job_store.h"

namespace pytoon::worker {

class OrphanedPrompts {
 public:
  OrphanedPrompts(std::vector<engines::ComfyServer*> servers, jobs::JobStore& jobs, Clock& clock,
                  Log& log)
      : servers_(std::move(servers)), jobs_(jobs), clock_(clock), log_(log) {}

  void look();

 private:
  bool needed(const std::string& task) const;
  void stop(engines::ComfyServer& server, const engines::ComfyServer::Marked& prompt);

  const std::vector<engines::ComfyServer*> servers_;
  jobs::JobStore& jobs_;
  Clock& clock_;
  Log& log_;
  std::set<std::string> suspects_;  // prompts that the look before found to be needed no more
};

}  // namespace pytoon::worker
