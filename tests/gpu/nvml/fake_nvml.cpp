// A stand-in for libnvidia-ml.so.1, a real shared object that the loader finds where a test says
// (LD_LIBRARY_PATH, or a program's own run path). Its GPUs are files, read at every call, so that
// one test may drive many processes:
//
//   $PYTOON_FAKE_NVML/gpus      a line a GPU: UUID TOTAL_MIB [KEY=VALUE ...], with keys
//                                 reserved=MIB  of the driver
//                                 encoder=N     open encoder sessions
//                                 lost=1        every question about it fails
//                                 mig_of=UUID   it is a MIG instance of that card, which has a line
//                                               of its own
//   $PYTOON_FAKE_NVML/taken/*   a line an allocation: UUID PID MIB, "-" for one that can't be told.
//                               Whoever plays a program writes a file of its own.
//   $PYTOON_FAKE_NVML/lag_ms    answers are up to that old
//   $PYTOON_FAKE_NVML/delay_ms  a question about memory takes that long
//
// Free memory is total - reserved - taken, not below 0. Files should be replaced by rename.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gpu/nvml/nvml_abi.h"

namespace {

namespace fs = std::filesystem;
using namespace pytoon::gpu::nvml;

constexpr Return kUninitialized = 1;
constexpr Return kDriverNotLoaded = 9;
constexpr unsigned long long kMib = 1ULL << 20;
constexpr unsigned kPlaces = 7;  // for MIG instances of a card

struct Taken {
  std::string uuid;
  ProcessInfo process;
};

struct Gpu {
  std::string uuid;
  unsigned long long total_mib = 0;
  std::map<std::string, std::string> keys;

  unsigned long long number(const char* key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
  }
  std::string text(const char* key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? "" : found->second;
  }
};

struct State {
  std::vector<Gpu> gpus;
  std::vector<Taken> taken;

  const Gpu* find(const std::string& uuid) const {
    for (const Gpu& gpu : gpus) {
      if (gpu.uuid == uuid) return &gpu;
    }
    return nullptr;
  }
  std::vector<const Gpu*> parts_of(const std::string& parent) const {
    std::vector<const Gpu*> parts;
    for (const Gpu& gpu : gpus) {
      if (gpu.text("mig_of") == parent) parts.push_back(&gpu);
    }
    return parts;
  }
};

fs::path folder() {
  const char* path = std::getenv("PYTOON_FAKE_NVML");
  return path == nullptr ? fs::path() : fs::path(path);
}

long number_in(const char* name) {
  std::ifstream file(folder() / name);
  long number = 0;
  file >> number;
  return number;
}

State read_state() {
  State state;
  std::ifstream gpus(folder() / "gpus");
  for (std::string line; std::getline(gpus, line);) {
    std::istringstream words(line);
    Gpu gpu;
    if (!(words >> gpu.uuid >> gpu.total_mib)) continue;
    for (std::string word; words >> word;) {
      const std::size_t at = word.find('=');
      if (at != std::string::npos) gpu.keys[word.substr(0, at)] = word.substr(at + 1);
    }
    state.gpus.push_back(gpu);
  }
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder() / "taken", ignored)) {
    std::ifstream file(entry.path());
    std::string uuid;
    std::string mib;
    unsigned pid = 0;
    while (file >> uuid >> pid >> mib) {
      const unsigned long long bytes =
          mib == "-" ? kNotAvailable : std::strtoull(mib.c_str(), nullptr, 10) * kMib;
      state.taken.push_back({uuid, {pid, bytes, ~0U, ~0U}});
    }
  }
  return state;
}

// What the process knows of the driver. Handles are names, which stay when a card goes.
class Driver {
 public:
  State state() {
    const std::lock_guard lock(mutex_);
    const std::chrono::milliseconds lag(number_in("lag_ms"));
    if (!read_ || clock_.steady_now() - read_at_ >= lag) {
      last_ = read_state();
      read_at_ = clock_.steady_now();
      read_ = true;
    }
    return last_;
  }
  Device handle_of(const std::string& uuid) {
    const std::lock_guard lock(mutex_);
    return const_cast<std::string*>(&*names_.insert(uuid).first);
  }
  void wait() { clock_.sleep_for(std::chrono::milliseconds(number_in("delay_ms"))); }

  int begun = 0;

 private:
  std::mutex mutex_;
  pytoon::SystemClock clock_;
  bool read_ = false;
  pytoon::SteadyTime read_at_;
  State last_;
  std::set<std::string> names_;
};

Driver& driver() {
  static Driver one;
  return one;
}

const std::string& uuid_of(Device device) { return *static_cast<const std::string*>(device); }

// The GPU in `state`, or why there is none.
Return look_up(const State& state, Device device, const Gpu*& gpu) {
  if (driver().begun == 0) return kUninitialized;
  gpu = state.find(uuid_of(device));
  if (gpu == nullptr || gpu->number("lost") != 0) return kGpuIsLost;
  return kSuccess;
}

std::vector<const Gpu*> cards(const State& state) { return state.parts_of(""); }

Return copy_text(const std::string& text, char* to, unsigned size) {
  if (text.size() >= size) return kInsufficientSize;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return kSuccess;
}

// Allocations on the GPU; on a card, those on its MIG instances too.
std::vector<Taken> taken_on(const State& state, const Gpu& gpu) {
  std::vector<Taken> taken;
  for (const Taken& one : state.taken) {
    const Gpu* place = state.find(one.uuid);
    const bool within = place != nullptr && place->text("mig_of") == gpu.uuid;
    if (one.uuid == gpu.uuid || within) taken.push_back(one);
  }
  return taken;
}

}  // namespace

extern "C" {

Return nvmlInit_v2() {
  if (!fs::exists(folder() / "gpus")) return kDriverNotLoaded;
  ++driver().begun;
  return kSuccess;
}

Return nvmlShutdown() {
  --driver().begun;
  return kSuccess;
}

const char* nvmlErrorString(Return code) {
  switch (code) {
    case kSuccess:
      return "Success";
    case kDriverNotLoaded:
      return "Driver Not Loaded";
    case kGpuIsLost:
      return "GPU is lost";
    case kNotFound:
      return "Not Found";
    default:
      return "Unknown Error";
  }
}

Return nvmlDeviceGetCount_v2(unsigned* count) {
  if (driver().begun == 0) return kUninitialized;
  *count = static_cast<unsigned>(cards(driver().state()).size());
  return kSuccess;
}

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  const State state = driver().state();
  const std::vector<const Gpu*> all = cards(state);
  if (index >= all.size()) return kNotFound;
  *device = driver().handle_of(all[index]->uuid);
  return kSuccess;
}

Return nvmlDeviceGetUUID(Device device, char* to, unsigned size) {
  return copy_text(uuid_of(device), to, size);
}

Return nvmlDeviceGetName(Device /*device*/, char* to, unsigned size) {
  return copy_text("Fake GPU", to, size);
}

Return nvmlDeviceGetMemoryInfo_v2(Device device, Memory2* memory) {
  if (memory->version != kMemory2Version) return 25;  // NVML_ERROR_ARGUMENT_VERSION_MISMATCH
  driver().wait();
  const State state = driver().state();
  const Gpu* gpu = nullptr;
  if (const Return code = look_up(state, device, gpu); code != kSuccess) return code;
  unsigned long long used = 0;
  for (const Taken& one : taken_on(state, *gpu)) {
    if (one.process.used_bytes != kNotAvailable) used += one.process.used_bytes;
  }
  memory->total = gpu->total_mib * kMib;
  memory->reserved = gpu->number("reserved") * kMib;
  memory->used = std::min(used, memory->total - memory->reserved);
  memory->free = memory->total - memory->reserved - memory->used;
  return kSuccess;
}

Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count,
                                               ProcessInfo* processes) {
  const State state = driver().state();
  const Gpu* gpu = nullptr;
  if (const Return code = look_up(state, device, gpu); code != kSuccess) return code;
  const std::vector<Taken> taken = taken_on(state, *gpu);
  const bool fits = taken.size() <= *count;
  *count = static_cast<unsigned>(taken.size());
  if (!fits) return kInsufficientSize;
  for (std::size_t i = 0; i < taken.size(); ++i) processes[i] = taken[i].process;
  return kSuccess;
}

Return nvmlDeviceGetEncoderStats(Device device, unsigned* sessions, unsigned* frames,
                                 unsigned* latency) {
  const State state = driver().state();
  const Gpu* gpu = nullptr;
  if (const Return code = look_up(state, device, gpu); code != kSuccess) return code;
  if (gpu->text("encoder").empty()) return kNotSupported;
  *sessions = static_cast<unsigned>(gpu->number("encoder"));
  *frames = 0;
  *latency = 0;
  return kSuccess;
}

Return nvmlDeviceGetMigMode(Device device, unsigned* now, unsigned* pending) {
  const State state = driver().state();
  *now = state.parts_of(uuid_of(device)).empty() ? 0 : 1;
  *pending = *now;
  return kSuccess;
}

Return nvmlDeviceGetMaxMigDeviceCount(Device /*device*/, unsigned* count) {
  *count = kPlaces;
  return kSuccess;
}

// Every other place is empty.
Return nvmlDeviceGetMigDeviceHandleByIndex(Device card, unsigned index, Device* instance) {
  const State state = driver().state();
  const std::vector<const Gpu*> parts = state.parts_of(uuid_of(card));
  if (index % 2 != 0 || index / 2 >= parts.size()) return kNotFound;
  *instance = driver().handle_of(parts[index / 2]->uuid);
  return kSuccess;
}

}  // extern "C"
