// The values of config/plans.yaml: limits by plan (jobs/tenant_plan.h).
//
// Thread rule: pure. All faults at once, each with its JSON pointer.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "server/jobs/tenant_plan.h"

namespace pytoon::app {

Result<jobs::TenantPlans> read_plans(const nlohmann::ordered_json& json);

}  // namespace pytoon::app
