#include "tests/gpu/devices.h"

#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda.h"
#include "gpu/cuda/cuda_device.h"
#include "tests/gpu/cuda/host_cuda_api.h"
#include "tests/gpu/cuda/real_cuda_api.h"

namespace pytoon::gpu {

std::ostream& operator<<(std::ostream& out, const DeviceCase& device) { return out << device.name; }

std::vector<DeviceCase> all_devices() {
  std::vector<DeviceCase> cases;
  for (const std::string& level : cpu_levels()) {
    std::string name = "cpu_" + level;
    for (char& c : name) c = c == '-' ? '_' : c;
    cases.push_back({name, [level](std::string&) { return make_cpu_device(level); }, {}, true});
  }
  cases.push_back({"cuda_on_host",
                   [](std::string& absent) -> std::unique_ptr<Device> {
                     auto device = cuda::make_device_on(
                         cuda::make_host_cuda_api(std::make_shared<cuda::HostGpu>()), 1U << 30);
                     if (device) return std::move(*device);
                     absent = device.failure().detail;
                     return nullptr;
                   },
                   []() -> Result<std::unique_ptr<cuda::CudaApi>> {
                     return cuda::make_host_cuda_api(std::make_shared<cuda::HostGpu>());
                   },
                   true});
  cases.push_back({"cuda",
                   [](std::string& absent) -> std::unique_ptr<Device> {
                     auto device = make_cuda_device({});
                     if (device) return std::move(*device);
                     absent = device.failure().detail;
                     return nullptr;
                   },
                   [] { return cuda::make_real_cuda_api(); }, false});
  return cases;
}

}  // namespace pytoon::gpu
