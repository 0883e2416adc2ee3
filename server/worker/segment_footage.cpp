#include "server/worker/segment_footage.h"

#include "base/hash.h"
#include "engines/local_compositor.h"

namespace pytoon::worker {
namespace {

std::string clip_key(const std::string& job_id, int segment) {
  return "footage/" + job_id + "/" + std::to_string(segment) + ".mp4";
}

std::optional<render::InputFile> kept_clip(const std::string& key, jobs::ObjectStore& storage) {
  const Result<std::filesystem::path> path = storage.local(key);
  if (!path) return std::nullopt;
  Result<std::string> sha256 = sha256_file(*path);
  if (!sha256) return std::nullopt;
  return render::InputFile{*path, std::move(*sha256)};
}

bool shows_own_clip(const spec::RenderSpec& spec, int segment) {
  const std::size_t all = spec.assets.images.size() + spec.assets.clips.size();
  return all > 0 && static_cast<std::size_t>(segment) % all >= spec.assets.images.size();
}

engines::FootageRequest request_for(const jobs::Job& job, int segment, const render::Inputs& inputs,
                                    jobs::ObjectStore& storage) {
  engines::FootageRequest request = engines::request_of(job.spec, segment);
  request.job_id = job.id;
  request.run = job.run;
  request.output = storage.staging("footage.mp4");
  const std::size_t all = inputs.images.size() + inputs.clips.size();
  if (all > 0) request.image = inputs.images.at(static_cast<std::size_t>(segment) % all);
  return request;
}

}  // namespace

Result<ChosenFootage> choose_segment_footage(const jobs::Job& job, const jobs::Segment& row,
                                             const render::Inputs& inputs,
                                             const FootageSources& sources,
                                             const CancelToken& cancel) {
  using render::Footage;
  if (shows_own_clip(job.spec, row.index)) {
    return ChosenFootage{Footage::kImages, std::string(engines::kLocalCompositor), false, ""};
  }
  const std::string key = clip_key(job.id, row.index);
  if (!row.engine_used.empty()) {
    if (auto kept = kept_clip(key, sources.storage)) {
      return ChosenFootage{{Footage::kClip, std::move(kept)}, row.engine_used, false, ""};
    }
  }
  engines::Watch watch;
  watch.cancel = cancel;
  const engines::FootageRequest request = request_for(job, row.index, inputs, sources.storage);
  Result<engines::Served> served = sources.ladder.serve(
      engines::chain_of(job.spec, sources.presets), job.spec.engine_policy, request, watch);
  if (!served) return served.failure();
  ChosenFootage chosen{served->footage.drawn, served->engine, served->fallback, served->reason};
  if (!served->footage.clip) return chosen;
  if (Status put = sources.storage.put(request.output, key); !put) return put.failure();
  const Result<std::filesystem::path> path = sources.storage.local(key);
  if (!path) return path.failure();
  chosen.footage = {Footage::kClip, render::InputFile{*path, served->footage.clip->sha256}};
  return chosen;
}

Status remove_footage(const jobs::Job& job, jobs::ObjectStore& storage) {
  for (const spec::SegmentSpec& segment : job.spec.segments) {
    if (Status removed = storage.remove(clip_key(job.id, segment.index)); !removed) return removed;
  }
  return ok_status();
}

}  // namespace pytoon::worker
