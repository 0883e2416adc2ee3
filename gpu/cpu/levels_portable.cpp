#include "gpu/cpu/levels.h"

namespace pytoon::gpu {

std::vector<Level> runnable_levels() { return {{"baseline", &baseline_kernels()}}; }

}  // namespace pytoon::gpu
