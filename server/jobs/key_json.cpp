// An API key as JSON.
#include <nlohmann/json.hpp>

#include "server/jobs/api_key.h"
#include "server/jobs/or_null.h"
#include "server/jobs/scopes.h"

namespace pytoon::jobs {

using Json = nlohmann::ordered_json;

namespace {

const char* status_of(const ApiKey& key) {
  if (key.revoked_at) return "revoked";
  return key.expired ? "expired" : "active";
}

}  // namespace

Json to_json(const ApiKey& key) {
  return Json{{"key_id", key.id},
              {"name", text_or_null(key.name)},
              {"tenant", key.tenant},
              {"scopes", scopes_of(key)},
              {"plan", key.plan},
              {"hint", key.hint},
              {"status", status_of(key)},
              {"created_at", iso8601(key.created_at)},
              {"expires_at", time_or_null(key.expires_at)},
              {"revoked_at", time_or_null(key.revoked_at)},
              {"last_used_at", time_or_null(key.last_used_at)}};
}

}  // namespace pytoon::jobs
