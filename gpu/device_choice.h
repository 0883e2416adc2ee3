// Which device a program draws on: what the operator prefers, what there was, and why they differ.
// Opening a CUDA device takes up to a second where there is a card (its driver starts, a context is
// made) and nothing where there is none.
//
// Thread rule: plain values; choose_device() once, at the start.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gpu/device.h"

namespace pytoon::gpu {

enum class DevicePreference {
  kAuto,  // CUDA where it works, else the CPU
  kCpu,
  kCuda,  // or nothing
};

struct DeviceMakers {
  std::function<std::unique_ptr<Device>()> cpu;
  std::function<Result<std::unique_ptr<Device>>()> cuda;
};

struct ChosenDevice {
  std::unique_ptr<Device> device;
  std::string reason;       // why the CPU had to do; empty when it was asked for, or CUDA was had
  bool gpu_failed = false;  // a GPU is there and would not do, which somebody should look into
};

// Asks for CUDA at most once. Only kCuda can fail, as the maker did.
Result<ChosenDevice> choose_device(DevicePreference preference, const DeviceMakers& makers);

}  // namespace pytoon::gpu
