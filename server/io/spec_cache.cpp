#include "server/io/spec_cache.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace pytoon::io {
namespace {

constexpr std::size_t kSpecsKept = 512;

}  // namespace

std::shared_ptr<const spec::RenderSpec> SpecCache::of(SqlSession& session,
                                                      const std::string& job_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = specs_.find(job_id);
    if (found != specs_.end()) return found->second;
  }
  const Rows rows = session.query("SELECT spec FROM jobs WHERE id = ?", {job_id});
  if (rows.empty()) throw DatabaseError(FailureKind::kInternal, "job " + job_id + " is gone");
  const auto json = parse_json<nlohmann::ordered_json>(rows[0].text(0));
  Result<spec::RenderSpec> spec = spec::render_spec_from_json(json);
  if (!spec) {
    throw DatabaseError(FailureKind::kInternal, "the stored spec of job " + job_id +
                                                    " is broken: " + spec.failure().detail);
  }
  auto kept = std::make_shared<const spec::RenderSpec>(std::move(*spec));
  const std::lock_guard lock(mutex_);
  if (specs_.size() >= kSpecsKept) specs_.clear();
  specs_.emplace(job_id, kept);
  return kept;
}

}  // namespace pytoon::io
