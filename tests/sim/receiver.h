// Whoever is told of the ends of jobs, and what must hold of what it was told:
//
//   an id never comes with another body, and always for the same job;
//   a job that was not retried has one id, a retried one at most one for each of its runs;
//   nothing is told of a job that has not ended, or of one that asked for nothing;
//   in the end every job that asked has been told of its end, whatever went wrong on the way.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/http_client.h"
#include "server/jobs/job_store.h"

namespace pytoon::sim {

class Receiver {
 public:
  explicit Receiver(jobs::JobStore& store) : store_(store) {}

  // A message arrived; whether it is answered with a 2xx.
  void arrived(const HttpRequest& request, bool taken);
  // The last word on a job that asked for `url`.
  void check_told(const jobs::Job& job);

  int messages() const { return static_cast<int>(bodies_.size()); }
  int arrivals() const { return arrivals_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Told {
    std::set<std::string> ids;
    std::set<std::string> taken;  // statuses that were told and taken
  };
  void note(const std::string& what) { violations_.push_back(what); }

  jobs::JobStore& store_;
  std::map<std::string, std::string> bodies_;  // by message id
  std::map<std::string, Told> told_;           // by job id
  int arrivals_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace pytoon::sim
