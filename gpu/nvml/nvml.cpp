#include "gpu/nvml/nvml.h"

#include <dlfcn.h>

#include <string>
#include <vector>

#include "gpu/nvml/nvml_abi.h"

namespace pytoon::gpu {
namespace {

using nvml::Return;

// The library and its functions.
struct Library {
  Library() = default;
  ~Library() {
    if (begun) (void)shutdown();
    if (handle != nullptr) ::dlclose(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  Status open();
  std::string says(Return code) const { return std::string("NVML says: ") + error_string(code); }

  void* handle = nullptr;
  bool begun = false;
  Return (*init)() = nullptr;
  Return (*shutdown)() = nullptr;
  const char* (*error_string)(Return) = nullptr;
  Return (*count)(unsigned*) = nullptr;
  Return (*by_index)(unsigned, nvml::Device*) = nullptr;
  Return (*uuid)(nvml::Device, char*, unsigned) = nullptr;
  Return (*name)(nvml::Device, char*, unsigned) = nullptr;
  Return (*memory)(nvml::Device, nvml::Memory2*) = nullptr;
  Return (*processes)(nvml::Device, unsigned*, nvml::ProcessInfo*) = nullptr;
  Return (*encoder_stats)(nvml::Device, unsigned*, unsigned*, unsigned*) = nullptr;
  Return (*mig_mode)(nvml::Device, unsigned*, unsigned*) = nullptr;
  Return (*mig_count_max)(nvml::Device, unsigned*) = nullptr;
  Return (*mig_by_index)(nvml::Device, unsigned, nvml::Device*) = nullptr;

 private:
  template <typename Function>
  void find(Function& function, const char* symbol) {
    function = reinterpret_cast<Function>(::dlsym(handle, symbol));
    if (function == nullptr && missing.empty()) missing = symbol;
  }
  std::string missing;
};

Status Library::open() {
  handle = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return failure(FailureKind::kNotFound, "NVML (libnvidia-ml.so.1) is not installed");
  }
  find(init, "nvmlInit_v2");
  find(shutdown, "nvmlShutdown");
  find(error_string, "nvmlErrorString");
  find(count, "nvmlDeviceGetCount_v2");
  find(by_index, "nvmlDeviceGetHandleByIndex_v2");
  find(uuid, "nvmlDeviceGetUUID");
  find(name, "nvmlDeviceGetName");
  find(memory, "nvmlDeviceGetMemoryInfo_v2");
  find(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  find(encoder_stats, "nvmlDeviceGetEncoderStats");
  find(mig_mode, "nvmlDeviceGetMigMode");
  find(mig_count_max, "nvmlDeviceGetMaxMigDeviceCount");
  find(mig_by_index, "nvmlDeviceGetMigDeviceHandleByIndex");
  if (!missing.empty()) {
    return failure(FailureKind::kUnavailable,
                   "NVML is older than driver 510: it lacks " + missing + "; update the driver");
  }
  const Return started = init();
  if (started != nvml::kSuccess) return failure(FailureKind::kUnavailable, says(started));
  begun = true;
  return ok_status();
}

class NvmlReader final : public GpuReader {
 public:
  Status open() { return library_.open(); }
  std::string source() const override { return "nvml"; }
  Result<std::vector<GpuReading>> read() override;

 private:
  // The card, or its MIG instances instead where it is divided.
  void read_card(nvml::Device card, std::vector<GpuReading>& gpus) const;
  GpuReading read_gpu(nvml::Device device) const;
  Return read_numbers(nvml::Device device, GpuReading& gpu) const;
  Return read_processes(nvml::Device device, GpuReading& gpu) const;
  bool is_divided(nvml::Device card) const;

  Library library_;
};

Result<std::vector<GpuReading>> NvmlReader::read() {
  unsigned count = 0;
  const Return counted = library_.count(&count);
  if (counted != nvml::kSuccess) {
    return failure(FailureKind::kUnavailable, library_.says(counted));
  }
  std::vector<GpuReading> gpus;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device card = nullptr;
    const Return found = library_.by_index(i, &card);
    if (found == nvml::kSuccess) {
      read_card(card, gpus);
    } else {
      gpus.emplace_back().fault = library_.says(found);
    }
  }
  return gpus;
}

bool NvmlReader::is_divided(nvml::Device card) const {
  unsigned now = 0;
  unsigned pending = 0;
  return library_.mig_mode(card, &now, &pending) == nvml::kSuccess && now == 1;
}

void NvmlReader::read_card(nvml::Device card, std::vector<GpuReading>& gpus) const {
  if (!is_divided(card)) {
    gpus.push_back(read_gpu(card));
    return;
  }
  char uuid[nvml::kUuidBytes] = "";
  (void)library_.uuid(card, uuid, sizeof uuid);
  unsigned places = 0;
  (void)library_.mig_count_max(card, &places);
  for (unsigned i = 0; i < places; ++i) {
    nvml::Device instance = nullptr;
    if (library_.mig_by_index(card, i, &instance) != nvml::kSuccess) continue;  // an empty place
    gpus.push_back(read_gpu(instance));
    gpus.back().parent_uuid = uuid;
  }
}

GpuReading NvmlReader::read_gpu(nvml::Device device) const {
  GpuReading gpu;
  char uuid[nvml::kUuidBytes] = "";
  char name[nvml::kNameBytes] = "";
  (void)library_.uuid(device, uuid, sizeof uuid);
  (void)library_.name(device, name, sizeof name);
  gpu.uuid = uuid;
  gpu.name = name;
  const Return code = read_numbers(device, gpu);
  if (code != nvml::kSuccess) gpu.fault = library_.says(code);
  return gpu;
}

Return NvmlReader::read_numbers(nvml::Device device, GpuReading& gpu) const {
  nvml::Memory2 memory{};
  memory.version = nvml::kMemory2Version;
  const Return code = library_.memory(device, &memory);
  if (code != nvml::kSuccess) return code;
  gpu.total_bytes = memory.total;
  gpu.free_bytes = memory.free;
  gpu.reserved_bytes = memory.reserved;
  unsigned sessions = 0;
  unsigned frames = 0;
  unsigned latency = 0;
  if (library_.encoder_stats(device, &sessions, &frames, &latency) == nvml::kSuccess) {
    gpu.encoder_sessions = static_cast<int>(sessions);
  }
  return read_processes(device, gpu);
}

// The list may grow between two calls.
Return NvmlReader::read_processes(nvml::Device device, GpuReading& gpu) const {
  std::vector<nvml::ProcessInfo> found(16);
  for (;;) {
    auto count = static_cast<unsigned>(found.size());
    const Return code = library_.processes(device, &count, found.data());
    if (code == nvml::kInsufficientSize) {
      found.resize(std::size_t{count} + 16);
      continue;
    }
    if (code == nvml::kNotSupported) return nvml::kSuccess;
    if (code != nvml::kSuccess) return code;
    found.resize(count);
    break;
  }
  for (const nvml::ProcessInfo& process : found) {
    GpuProcess& seen = gpu.processes.emplace_back();
    seen.pid = process.pid;
    if (process.used_bytes != nvml::kNotAvailable) seen.used_bytes = process.used_bytes;
  }
  return nvml::kSuccess;
}

}  // namespace

Result<std::unique_ptr<GpuReader>> open_nvml() {
  auto reader = std::make_unique<NvmlReader>();
  const Status opened = reader->open();
  if (!opened) return opened.failure();
  return std::unique_ptr<GpuReader>(std::move(reader));
}

}  // namespace pytoon::gpu
