#include "gpu/cpu/levels.h"

namespace pytoon::gpu {
namespace {

// Named one by one because not every compiler knows the level by name; CPUs with these have the
// level's lesser features too.
bool has_x86_64_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
}

}  // namespace

std::vector<Level> runnable_levels() {
  std::vector<Level> levels{{"baseline", &baseline_kernels()}};
  if (has_x86_64_v3()) {
    levels.push_back({"x86-64-v3", &x86_64_v3_kernels()});
  }
  return levels;
}

}  // namespace pytoon::gpu
