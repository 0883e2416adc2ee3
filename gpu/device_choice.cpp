#include "gpu/device_choice.h"

#include <utility>

namespace pytoon::gpu {

Result<ChosenDevice> choose_device(DevicePreference preference, const DeviceMakers& makers) {
  if (preference == DevicePreference::kCpu) return ChosenDevice{makers.cpu(), "", false};
  Result<std::unique_ptr<Device>> cuda = makers.cuda();
  if (cuda) return ChosenDevice{std::move(*cuda), "", false};
  Failure fault = cuda.failure();
  if (preference == DevicePreference::kAuto) {
    return ChosenDevice{makers.cpu(), fault.detail, fault.kind != FailureKind::kNotFound};
  }
  return fault;
}

}  // namespace pytoon::gpu
