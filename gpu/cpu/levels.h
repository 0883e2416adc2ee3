// Instruction-set levels of this build that this CPU can run. CMake chooses the file that knows.
#pragma once

#include <string>
#include <vector>

#include "gpu/cpu/kernels.h"

namespace pytoon::gpu {

struct Level {
  std::string name;
  const Kernels* kernels;
};

// Worst first; never empty.
std::vector<Level> runnable_levels();

}  // namespace pytoon::gpu
