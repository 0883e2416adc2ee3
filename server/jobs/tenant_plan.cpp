#include "server/jobs/tenant_plan.h"

namespace pytoon::jobs {

const TenantPlan& TenantPlans::of(const std::string& name) const {
  const auto found = plans_.find(name);
  return found != plans_.end() ? found->second : plans_.at("default");
}

}  // namespace pytoon::jobs
