#include "server/app/open_gpu_admission.h"

#include "gpu/cuda/cuda.h"
#include "gpu/nvml/nvml.h"
#include "server/worker/workflow_profile.h"

namespace pytoon::app {
namespace {

struct OwnCard {
  std::unique_ptr<gpu::GpuReader> by_cuda;  // null where nothing of ours is on a card
  std::string uuid;
};

OwnCard own_card(const RenderStack& stack) {
  OwnCard card;
  const auto handles = stack.device->cuda_handles();
  if (!handles) return card;
  auto reader = gpu::open_cuda_reader(handles->ordinal);
  if (!reader) return card;
  card.by_cuda = std::move(*reader);
  const auto read = card.by_cuda->read();
  if (read && !read->empty()) card.uuid = read->front().uuid;
  return card;
}

// As NVML spells it: the ledger's rows are by that name.
std::string spelled(const std::string& uuid, gpu::GpuReader& reader) {
  const auto read = reader.read();
  if (!read || uuid.size() < 4) return uuid;
  for (const gpu::GpuReading& gpu : *read) {
    if (gpu.uuid.ends_with(uuid.substr(4))) return gpu.uuid;
  }
  return uuid;
}

// Those that take memory of cards of ours.
std::vector<const engines::Workflow*> own_workflows(const Config& config) {
  std::vector<const engines::Workflow*> own;
  for (const engines::ComfySettings& comfyui : config.engines.comfyui) {
    if (comfyui.remote) continue;
    for (const engines::Workflow& workflow : comfyui.workflows) own.push_back(&workflow);
  }
  return own;
}

}  // namespace

std::map<std::string, jobs::admission::Profile> workflow_profiles(const Config& config) {
  std::map<std::string, jobs::admission::Profile> profiles;
  for (const engines::Workflow* const workflow : own_workflows(config)) {
    profiles.emplace(workflow->name,
                     worker::profile_of(workflow->name, engines::prior_of(*workflow)));
  }
  return profiles;
}

std::unique_ptr<worker::GpuAdmission> open_gpu_admission(const AdmissionParts& parts,
                                                         const std::string& worker_id) {
  const auto servers = parts.engines.comfyui_servers();
  OwnCard card = own_card(parts.stack);
  if (card.uuid.empty() && servers.empty()) return nullptr;
  auto nvml = gpu::open_nvml();
  std::unique_ptr<gpu::GpuReader> reader = nvml ? std::move(*nvml) : std::move(card.by_cuda);
  if (reader == nullptr) return nullptr;
  if (!card.uuid.empty()) card.uuid = spelled(card.uuid, *reader);
  worker::PromiseKeeper::Card own;
  if (!card.uuid.empty()) {
    own = {parts.stack.device.get(), card.uuid, parts.config.image_cache_bytes()};
  }
  parts.log.info(
      "gpu_admission",
      {{"source", reader->source()}, {"gpu", card.uuid}, {"comfyui_servers", servers.size()}});
  worker::GpuAdmission::Options options;
  options.render_threads = parts.config.worker_concurrency;
  options.encoder_sessions_max = parts.config.encoder.nvenc_sessions;
  auto admission = std::make_unique<worker::GpuAdmission>(
      worker::GpuAdmission::Parts{parts.store.promises(), parts.store.profiles(),
                                  parts.store.generations(), parts.metrics, parts.clock, parts.log,
                                  worker_id, std::move(reader), own, servers},
      options);
  for (const engines::Workflow* const workflow : own_workflows(parts.config)) {
    admission->know(engines::prior_of(*workflow));
  }
  parts.engines.admit_by(admission->prompts());
  return admission;
}

}  // namespace pytoon::app
