#include "server/observe/health.h"

#include <algorithm>

namespace pytoon::observe {

bool Health::draining() const { return leaving_ || !process_.usable() || fleet_drains(); }

bool Health::fleet_drains() const {
  const Result<bool> registry = registry_.draining();
  return registry && *registry;  // a store that is away says no for itself
}

void Health::look() {
  jobs::Service::Readiness found;
  asking_ = "database";
  if (!store_.probe()) found.blocking.emplace_back("database");
  if (fleet_drains()) found.blocking.emplace_back("draining");
  asking_ = "storage";
  if (!storage_.writable()) found.blocking.emplace_back("storage");
  asking_ = "";
  for (const auto& [name, works] : helpers_) {
    if (!works()) found.degraded.push_back(name);
  }
  const std::lock_guard lock(mutex_);
  found_ = std::move(found);
  found_at_ = clock_.steady_now();
}

jobs::Service::Readiness Health::readiness() {
  jobs::Service::Readiness now;
  SteadyTime found_at;
  {
    const std::lock_guard lock(mutex_);
    now = found_;
    found_at = found_at_;
  }
  const auto say = [&now](const std::string& what) {
    auto& said = now.blocking;
    const bool known = what.empty() || std::find(said.begin(), said.end(), what) != said.end();
    if (!known) said.push_back(what);
  };
  if (clock_.steady_now() - found_at > kStale) say(asking_.load());
  if (!process_.usable()) say("process");
  if (leaving_ || !process_.usable()) say("draining");
  return now;
}

}  // namespace pytoon::observe
