// How far two frames lie apart, in code values.
#pragma once

#include "tests/gpu/reference.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu {

struct Error {
  double mean = 0;
  double max = 0;
};
// What a CUDA device may differ from the CPU device.
inline constexpr Error kParity{1, 4};

Error compare(const GuardedFrame& frame, const GuardedFrame& other);
Error compare(const GuardedFrame& frame, ReferenceFrame& reference);

}  // namespace pytoon::gpu
