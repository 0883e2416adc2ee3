// One card looked at from outside of admission control while it is used: the lowest free memory
// that the driver showed, and ten times a second whether the invariant of docs/admission.md holds.
// Its arithmetic is its own, so that a fault of the ledger's is seen.
//
// Thread rule: made, started and stopped by one thread; it looks on another.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gpu/device.h"
#include "gpu/telemetry.h"
#include "server/jobs/admission/promise_ledger.h"

namespace pytoon::bench {

// NVML's, or CUDA's own where NVML is not there. kNotFound where the device is on no card.
struct OwnCard {
  std::unique_ptr<gpu::GpuReader> reader;
  std::string uuid;  // as the reader spells it
};
Result<OwnCard> find_card(const gpu::Device& device);
Result<gpu::GpuReading> read_card(OwnCard& card);

// The invariant at one instant, where all promises are of this process.
struct Look {
  jobs::admission::Bytes free = 0;
  jobs::admission::Bytes promised = 0;        // to what runs
  jobs::admission::Bytes held = 0;            // of it
  jobs::admission::Bytes foreign = 0;         // other programs' now
  jobs::admission::Bytes foreign_before = 0;  // when the last promise was given
};
enum class Verdict { kHolds, kHeadroomUsed, kOurs, kForeign };
Verdict verdict_of(const Look& look);

struct LookCounts {
  int looks = 0;
  int unsettled = 0;  // a promise or our memory changed in the middle of the look: not judged
  int with_promises = 0;
  int with_prompts = 0;  // judged by the sampler's figures
  int headroom_used = 0;
  int violations_ours = 0;
  int violations_foreign = 0;
  jobs::admission::Bytes lowest_free = 0;
};

// Calls `look` at each period until it is destroyed.
class Repeater {
 public:
  Repeater(std::chrono::milliseconds period, std::function<void()> look);
  ~Repeater();
  Repeater(const Repeater&) = delete;
  Repeater& operator=(const Repeater&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

// One look, added to the counts. cache_bytes: what the device may keep beside its promises.
void look_at(OwnCard& card, const gpu::Device& device, jobs::admission::PromiseLedger& ledger,
             jobs::admission::Bytes cache_bytes, LookCounts& counts);

}  // namespace pytoon::bench
