// NVML, NVIDIA's management library: memory, programs and encoder sessions of every GPU, without a
// context on any of them. libnvidia-ml.so.1 comes with the driver and is opened at run time; the
// loader's search path (LD_LIBRARY_PATH) chooses it, which is how tests put a fake in its place.
#pragma once

#include <memory>

#include "base/result.h"
#include "gpu/telemetry.h"

namespace pytoon::gpu {

// kNotFound where the library isn't there, kUnavailable where it is and can't be used; the detail
// says why. Blocks for some tens of milliseconds.
Result<std::unique_ptr<GpuReader>> open_nvml();

}  // namespace pytoon::gpu
