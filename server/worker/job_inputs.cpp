#include "server/worker/job_inputs.h"

#include "pipeline/plan/dependencies.h"

namespace pytoon::worker {
namespace {

enum class Want { kNothing, kHash, kFile };

// What a task wants of its job.
struct Wants {
  std::vector<Want> images;
  std::vector<Want> clips;
  Want mask = Want::kNothing;
  Want audio = Want::kNothing;
  bool logo = false;
};

Wants wants_of(const jobs::Job& job, Want all) {
  const spec::Assets& assets = job.spec.assets;
  return {std::vector(assets.images.size(), all), std::vector(assets.clips.size(), all), all, all,
          all != Want::kNothing};
}

class Fetcher {
 public:
  Fetcher(const jobs::Job& job, InputCache& cache) : job_(job), cache_(cache) {}

  Result<render::Inputs> fetch(const Wants& wants) const {
    const spec::Assets& assets = job_.spec.assets;
    render::Inputs inputs;
    Status fetched = add_all(assets.images, wants.images, inputs.images);
    if (fetched) fetched = add_all(assets.clips, wants.clips, inputs.clips);
    if (fetched) fetched = add(assets.mask, wants.mask, inputs.mask);
    if (fetched) fetched = add(assets.music, wants.audio, inputs.music);
    if (fetched) fetched = add(assets.voice, wants.audio, inputs.voice);
    if (!fetched) return fetched.failure();
    if (!wants.logo || !job_.spec.brand_safe) return inputs;
    Result<std::optional<plan::InputFile>> logo = cache_.logo();
    if (!logo) return logo.failure();
    inputs.logo = std::move(*logo);
    return inputs;
  }

 private:
  Result<plan::InputFile> one(const std::string& uri, Want want) const {
    if (want == Want::kNothing) return plan::InputFile{};
    return want == Want::kHash ? cache_.hash_of(job_.tenant, uri)
                               : cache_.file_of(job_.tenant, uri);
  }
  Status add_all(const std::vector<std::string>& uris, const std::vector<Want>& wants,
                 std::vector<plan::InputFile>& files) const {
    for (std::size_t i = 0; i < uris.size(); ++i) {
      Result<plan::InputFile> file = one(uris[i], wants[i]);
      if (!file) return file.failure();
      files.push_back(std::move(*file));
    }
    return ok_status();
  }
  Status add(const std::optional<std::string>& uri, Want want,
             std::optional<plan::InputFile>& file) const {
    if (!uri || want == Want::kNothing) return ok_status();
    Result<plan::InputFile> found = one(*uri, want);
    if (!found) return found.failure();
    file = std::move(*found);
    return ok_status();
  }

  const jobs::Job& job_;
  InputCache& cache_;
};

// Spec, encoder and, by the rows, what each segment shows; no file yet.
render::RenderJob job_by_rows(const jobs::LeasedTask& leased) {
  render::RenderJob job;
  job.spec = leased.job.spec;
  job.encoder = leased.job.encoder;
  for (const jobs::Segment& segment : leased.segments) {
    plan::SegmentSource footage = segment.footage.value_or(plan::SourceKind::kImages);
    if (footage.kind == plan::SourceKind::kClip) {
      footage.clip = plan::InputFile{{}, segment.footage_sha256};
    }
    job.footage.push_back(std::move(footage));
  }
  return job;
}

Result<render::RenderJob> job_with(const jobs::LeasedTask& leased, Want all, InputCache& cache) {
  render::RenderJob job = job_by_rows(leased);
  Result<render::Inputs> inputs = Fetcher(leased.job, cache).fetch(wants_of(leased.job, all));
  if (!inputs) return inputs.failure();
  job.inputs = std::move(*inputs);
  return job;
}

void want(const plan::Dependencies& what, Want how, Wants& wants) {
  for (const int image : what.images) wants.images.at(static_cast<std::size_t>(image)) = how;
  for (const int clip : what.clips) wants.clips.at(static_cast<std::size_t>(clip)) = how;
  // A mask belongs to the first image.
  if (what.images.contains(0)) wants.mask = how;
}

}  // namespace

Result<render::Inputs> footage_inputs(const jobs::Job& job, int segment, InputCache& cache) {
  Wants wants = wants_of(job, Want::kNothing);
  const std::size_t images = wants.images.size();
  const std::size_t all = images + wants.clips.size();
  if (all > 0) {
    const std::size_t place = static_cast<std::size_t>(segment) % all;
    (place < images ? wants.images[place] : wants.clips[place - images]) = Want::kFile;
  }
  return Fetcher(job, cache).fetch(wants);
}

Result<render::Inputs> audio_inputs(const jobs::Job& job, InputCache& cache) {
  Wants wants = wants_of(job, Want::kNothing);
  wants.audio = Want::kFile;
  return Fetcher(job, cache).fetch(wants);
}

Result<render::RenderJob> whole_job(const jobs::LeasedTask& leased, InputCache& cache) {
  return job_with(leased, Want::kFile, cache);
}

Result<render::RenderJob> job_for_keys(const jobs::LeasedTask& leased, InputCache& cache) {
  return job_with(leased, Want::kHash, cache);
}

Result<render::RenderJob> job_for_segment(const jobs::LeasedTask& leased, int segment,
                                          InputCache& cache) {
  render::RenderJob job = job_by_rows(leased);
  const plan::Timeline timeline = timeline_of(job);
  const plan::Dependencies drawn = plan::drawn_from(job.spec, timeline, segment);
  Wants wants = wants_of(leased.job, Want::kNothing);
  wants.logo = true;
  want(plan::decided_by(timeline, segment), Want::kHash, wants);
  want(drawn, Want::kFile, wants);
  Result<render::Inputs> inputs = Fetcher(leased.job, cache).fetch(wants);
  if (!inputs) return inputs.failure();
  job.inputs = std::move(*inputs);
  for (const int made : drawn.footage) {
    const auto i = static_cast<std::size_t>(made);
    Result<std::filesystem::path> path = cache.object(leased.segments.at(i).footage_key);
    if (!path) return path.failure();
    job.footage.at(i).clip->path = std::move(*path);
  }
  return job;
}

}  // namespace pytoon::worker
