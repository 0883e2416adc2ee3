#include "gpu/telemetry.h"

#include <utility>

namespace pytoon::gpu {

const GpuReading* GpuSample::find(const std::string& uuid) const {
  for (const GpuReading& gpu : gpus) {
    if (gpu.uuid == uuid) return &gpu;
  }
  return nullptr;
}

std::uint64_t promisable_bytes(const GpuReading& gpu, std::uint64_t headroom_bytes) {
  if (!gpu.fault.empty() || gpu.free_bytes <= headroom_bytes) return 0;
  return gpu.free_bytes - headroom_bytes;
}

void GpuSampler::start() {
  thread_ = std::thread([this] { run(); });
}

void GpuSampler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  told_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GpuSampler::run() {
  for (;;) {
    (void)sample();  // a failure is kept for fault()
    std::unique_lock lock(mutex_);
    if (told_.wait_for(lock, kSamplePeriod, [this] { return stopping_; })) return;
  }
}

Status GpuSampler::sample() {
  const std::lock_guard one(reading_);
  auto sample = std::make_shared<GpuSample>();
  sample->at = clock_.now();
  sample->steady_at = clock_.steady_now();
  sample->source = reader_->source();
  Result<std::vector<GpuReading>> gpus = reader_->read();
  const std::lock_guard lock(mutex_);
  fault_ = gpus ? "" : gpus.failure().detail;
  if (!gpus) return gpus.failure();
  sample->gpus = std::move(*gpus);
  latest_ = std::move(sample);
  return ok_status();
}

GpuSamplePtr GpuSampler::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

GpuSamplePtr GpuSampler::fresh() const {
  GpuSamplePtr sample = latest();
  if (sample && clock_.steady_now() - sample->steady_at > kSampleAgeMax) sample.reset();
  return sample;
}

std::string GpuSampler::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

}  // namespace pytoon::gpu
