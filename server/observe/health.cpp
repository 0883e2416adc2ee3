#include "server/observe/health.h"

namespace pytoon::observe {

jobs::Service::Readiness Health::readiness() {
  jobs::Service::Readiness readiness;
  if (!store_.probe()) readiness.blocking.push_back("database");
  if (!storage_.writable()) readiness.blocking.push_back("storage");
  if (draining()) readiness.blocking.push_back("draining");
  return readiness;
}

}  // namespace pytoon::observe
