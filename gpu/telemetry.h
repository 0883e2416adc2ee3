// GPU telemetry: what the driver says of every GPU's memory, programs and encoder sessions, sampled
// at a steady rate. A MIG instance is a GPU.
//
// A sample is one instant: its time is taken before the driver is asked, so that it is never later
// than the truth, and all of its numbers are later than that time. A sample older than
// kSampleAgeMax is stale: nothing may be promised from it. A read that fails leaves the last sample
// in place, to grow stale, and its reason in fault().
//
// Thread rule: GpuReader for one thread at a time; GpuSampler for any. Blocking: read() and
// sample() ask the driver, usually under a millisecond, seconds when it hangs; latest() and fresh()
// never block.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::gpu {

// A program with a context on the GPU.
struct GpuProcess {
  std::uint32_t pid = 0;                    // as the driver counts: the host's, in a container
  std::optional<std::uint64_t> used_bytes;  // none where the driver can't tell (MIG, some guests)
  bool operator==(const GpuProcess&) const = default;
};

struct GpuReading {
  std::string uuid;  // "GPU-..." or "MIG-..."
  std::string name;
  std::string parent_uuid;  // of a MIG instance: the card it is part of; else ""
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;      // all programs counted
  std::uint64_t reserved_bytes = 0;  // of the driver itself, in neither free nor any program
  std::vector<GpuProcess> processes;
  std::optional<int> encoder_sessions;  // open now, of all programs; none where it isn't known
  std::string fault;  // why the GPU can't be read ("GPU is lost"); "" when the numbers hold
  bool operator==(const GpuReading&) const = default;
};

class GpuReader {
 public:
  virtual ~GpuReader() = default;
  // "nvml", "cuda": where the numbers come from.
  virtual std::string source() const = 0;
  // All GPUs, those that failed with their fault. kUnavailable when the driver itself is gone.
  virtual Result<std::vector<GpuReading>> read() = 0;
};

inline constexpr std::chrono::milliseconds kSamplePeriod{250};
inline constexpr std::chrono::seconds kSampleAgeMax{2};
// Of each GPU's free memory, what is never promised: programs grow between two samples.
inline constexpr std::uint64_t kHeadroomBytes = std::uint64_t{512} << 20;

struct GpuSample {
  WallTime at;           // for the ledger and for people
  SteadyTime steady_at;  // for its age
  std::string source;
  std::vector<GpuReading> gpus;

  // Null where there is no such GPU.
  const GpuReading* find(const std::string& uuid) const;
};
using GpuSamplePtr = std::shared_ptr<const GpuSample>;

// What could be promised of a GPU on which nothing is promised yet; 0 for one that failed.
std::uint64_t promisable_bytes(const GpuReading& gpu,
                               std::uint64_t headroom_bytes = kHeadroomBytes);

class GpuSampler {
 public:
  // clock must outlive the sampler.
  GpuSampler(std::unique_ptr<GpuReader> reader, const Clock& clock)
      : reader_(std::move(reader)), clock_(clock) {}
  ~GpuSampler() { stop(); }
  GpuSampler(const GpuSampler&) = delete;
  GpuSampler& operator=(const GpuSampler&) = delete;

  // Samples every kSamplePeriod on a thread of its own until stop(). Once.
  void start();
  void stop();
  // Samples now. The Failure of read(), after which latest() is as before.
  Status sample();

  // The last sample that succeeded, however old; null before the first.
  GpuSamplePtr latest() const;
  // The same, or null when it is stale.
  GpuSamplePtr fresh() const;
  // Why the last attempt failed; "" when it succeeded.
  std::string fault() const;

 private:
  void run();

  const std::unique_ptr<GpuReader> reader_;
  const Clock& clock_;
  std::mutex reading_;  // one read at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;
  GpuSamplePtr latest_;
  std::string fault_;
  std::thread thread_;
};

}  // namespace pytoon::gpu
