// config/plans.yaml: limits by plan (jobs/tenant_plan.h). Without the file there is the plan
// "default" alone, with the defaults of the program.
//
// Thread rule: pure but for reading the file. All faults at once; the detail names the file.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "server/jobs/tenant_plan.h"

namespace pytoon::app {

Result<jobs::TenantPlans> read_plans(const std::filesystem::path& path);

}  // namespace pytoon::app
