#include "server/app/read_plans.h"

#include <nlohmann/json.hpp>

#include "pipeline/spec/field_reader.h"
#include "server/jobs/key_registry.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;
using jobs::TenantPlan;

constexpr double kRequestsMax = 1e6;
constexpr std::int64_t kCountMax = 1'000'000;
constexpr std::int64_t kGigabytesMax = 1'000'000;
constexpr std::int64_t kGigabyte = 1'000'000'000;
constexpr double kBurstSeconds = 5;

// What the file does not say of a plan is as in the default.
TenantPlan read_plan(spec::FieldReader& r, TenantPlan plan) {
  if (r.has("requests_per_second")) {
    plan.requests_per_second = r.number("requests_per_second", 0.01, kRequestsMax);
    plan.request_burst = std::max(1.0, plan.requests_per_second * kBurstSeconds);
  }
  if (r.has("request_burst")) plan.request_burst = r.number("request_burst", 1, 5 * kRequestsMax);
  if (r.has("queued_jobs")) plan.queued_jobs = r.whole("queued_jobs", 1, kCountMax);
  if (r.has("weight")) plan.weight = static_cast<int>(r.whole("weight", 1, 100));
  if (r.has("storage_gb")) plan.storage_bytes = kGigabyte * r.whole("storage_gb", 1, kGigabytesMax);
  if (r.has("uploads_at_once")) {
    plan.uploads_at_once = static_cast<int>(r.whole("uploads_at_once", 1, kCountMax));
  }
  if (r.has("refused_uploads_per_minute")) {
    plan.refused_uploads_per_minute =
        static_cast<int>(r.whole("refused_uploads_per_minute", 1, kCountMax));
  }
  if (r.has("connections")) {
    plan.connections = static_cast<int>(r.whole("connections", 1, kCountMax));
  }
  return plan;
}

void read_one(const Json& plans, const std::string& name, std::vector<FieldFault>& faults,
              jobs::TenantPlans& all) {
  const std::string pointer = "/plans/" + name;
  if (!jobs::is_tenant_name(name)) faults.push_back({pointer, "is no plain name"});
  const Json& fields = plans.at(name);
  if (!fields.is_object()) {
    faults.push_back({pointer, "must be an object"});
    return;
  }
  spec::FieldReader r(fields, pointer, faults);
  all[name] = read_plan(r, all.of("default"));
  r.finish();
}

}  // namespace

Result<jobs::TenantPlans> read_plans(const Json& json) {
  jobs::TenantPlans plans;
  std::vector<FieldFault> faults;
  spec::FieldReader r(json, "", faults);
  if (const Json* const all = r.object("plans")) {
    if (all->contains("default")) read_one(*all, "default", faults, plans);
    for (const auto& entry : all->items()) {
      if (entry.key() != "default") read_one(*all, entry.key(), faults, plans);
    }
  }
  r.finish();
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return plans;
}

}  // namespace pytoon::app
