#include "gpu/cpu/levels.h"

namespace pytoon::gpu {

std::vector<Level> runnable_levels() {
  std::vector<Level> levels{{"baseline", &baseline_kernels()}};
  if (__builtin_cpu_supports("x86-64-v3")) {
    levels.push_back({"x86-64-v3", &x86_64_v3_kernels()});
  }
  return levels;
}

}  // namespace pytoon::gpu
