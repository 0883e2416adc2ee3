// The CPU device: planar 4:2:0 textures with alpha, fixed-point separable bicubic resampling
// straight to NV12. Every instruction-set level gives the same bytes, so a content key need not
// name the machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/device.h"

namespace pytoon::gpu {

// The best instruction-set level this CPU has, or the one named ("baseline", "x86-64-v3"); null
// when this CPU lacks it.
std::unique_ptr<Device> make_cpu_device(const std::string& level = "");
// Levels this CPU can run, worst first.
std::vector<std::string> cpu_levels();

}  // namespace pytoon::gpu
