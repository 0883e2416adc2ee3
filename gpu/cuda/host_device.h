// Marks a function as one that both the CUDA kernels and plain C++ compile: tests run the kernels'
// own code on the host. The one place of the tree that asks which compiler is at work.
#pragma once

#ifdef __CUDACC__
#define PYTOON_HOST_DEVICE __host__ __device__ __forceinline__
#define PYTOON_ROLLED _Pragma("unroll 1")  // before a loop whose turns must not share registers
#else
#define PYTOON_HOST_DEVICE inline
#define PYTOON_ROLLED
#endif
