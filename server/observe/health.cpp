#include "server/observe/health.h"

namespace pytoon::observe {

bool Health::draining() const {
  if (leaving_ || !process_.usable()) return true;
  const Result<bool> registry = registry_.draining();
  return registry && *registry;  // a store that is away says no for itself
}

jobs::Service::Readiness Health::readiness() {
  jobs::Service::Readiness readiness;
  if (!store_.probe()) readiness.blocking.push_back("database");
  if (!storage_.writable()) readiness.blocking.push_back("storage");
  if (!process_.usable()) readiness.blocking.push_back("process");
  if (draining()) readiness.blocking.push_back("draining");
  for (const auto& [name, works] : helpers_) {
    if (!works()) readiness.degraded.push_back(name);
  }
  return readiness;
}

}  // namespace pytoon::observe
