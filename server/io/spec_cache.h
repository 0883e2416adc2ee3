// Stored specs, parsed once: a job's spec never changes, and status reads must stay cheap.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "pipeline/spec/render_spec.h"
#include "server/io/sql.h"

namespace pytoon::io {

class SpecCache {
 public:
  // Throws when the stored text is no spec.
  std::shared_ptr<const spec::RenderSpec> of(SqlSession& session, const std::string& job_id);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const spec::RenderSpec>> specs_;
};

}  // namespace pytoon::io
