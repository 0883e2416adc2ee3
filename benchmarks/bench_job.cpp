#include "benchmarks/bench_job.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hash.h"

namespace pytoon::bench {
namespace {

namespace fs = std::filesystem;

Status add_files(const std::vector<std::string>& names, const fs::path& folder,
                 std::vector<plan::InputFile>& files) {
  for (const std::string& name : names) {
    const fs::path path = folder / name;
    Result<std::string> hash = sha256_file(path);
    if (!hash) return hash.failure();
    files.push_back({path, std::move(*hash)});
  }
  return ok_status();
}

}  // namespace

Result<render::RenderJob> read_job(const fs::path& request_file, const app::Config& config) {
  Result<std::string> text = read_file(request_file);
  if (!text) return text.failure();
  Result<spec::JobRequest> request = spec::parse_job_request(nlohmann::json::parse(*text));
  if (!request) return request.failure();
  Result<spec::RenderSpec> spec = plan::make_render_spec(*request, config.catalogue, 1);
  if (!spec) return spec.failure();
  render::RenderJob job;
  job.spec = std::move(*spec);
  const fs::path folder = request_file.parent_path();
  Status added = add_files(request->image_uris, folder, job.inputs.images);
  if (added) added = add_files(request->clip_uris, folder, job.inputs.clips);
  if (!added) return added.failure();
  job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
  return job;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace pytoon::bench
